package kube

import "testing"

func TestWithVelero(t *testing.T) {
	asked := []Permission{{Namespace: VeleroNamespace}, {Namespace: "shop"}, {}}
	told := WithVelero(asked, "backups")
	for i, want := range []string{"backups", "shop", ""} {
		if told[i].Namespace != want {
			t.Errorf("%q, want %q", told[i].Namespace, want)
		}
	}
	if asked[0].Namespace != VeleroNamespace {
		t.Error("what was asked for has changed")
	}
}
