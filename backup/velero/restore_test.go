package velero

import (
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify"
)

// A copy whose workloads or traffic could not be held back is not looked at any
// further, so that it is removed at once.
func TestAnUnmodifiedCopyEndsTheClimb(t *testing.T) {
	// As Velero 1.16 to 1.18 say it.
	const unmodified = "shop-drill: error in applying patch error in applying JSON Patch remove operation does not apply: doc is missing path: /spec/initContainers/1: missing value"
	for name, test := range map[string]struct {
		reasons []string
		want    verify.Verdict
		goesOn  bool
	}{
		"unmodified":              {[]string{unmodified}, verify.Inconclusive, false},
		"unmodified, and broken":  {[]string{"shop-drill: error restoring pods", unmodified}, verify.Fail, false},
		"modified, but not whole": {[]string{"shop-drill: error restoring pods"}, verify.Fail, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := &climb{spec: &Restore{}, contents: plainShop(t), restored: &velerov1.Restore{}}
			found := c.notWhole(velerov1.RestorePhasePartiallyFailed, test.reasons)
			found.Name = rungRestore
			if found.Verdict != test.want || c.goesOn(found) != test.goesOn {
				t.Errorf("got %s, goes on %v: %s", found.Verdict, c.goesOn(found), found.Summary)
			}
			if !test.goesOn && !strings.Contains(found.Summary, unmodified) {
				t.Errorf("it says %s", found.Summary)
			}
		})
	}
}

// Velero warns of what controllers have put into the scratch namespace before it came
// to it, in two spellings. Of everything else its warning is no usual one.
func TestUsualWarnings(t *testing.T) {
	c := &climb{plan: restorePlan{Source: "shop", Into: "shop-drill"}}
	const ends = " already exists. Warning: the in-cluster version is different than the backed-up version"
	for line, want := range map[string]bool{
		`shop-drill: could not restore, ConfigMap "kube-root-ca.crt"` + ends:          true,
		`shop-drill: could not restore, ConfigMap:kube-root-ca.crt` + ends:            true,
		`shop-drill: could not restore, ConfigMap "openshift-service-ca.crt"` + ends:  true,
		`shop-drill: could not restore, ConfigMap:istio-ca-root-cert` + ends:          true,
		`shop-drill: could not restore, RoleBinding "system:image-pullers"` + ends:    true,
		`shop-drill: could not restore, RoleBinding:system:deployers` + ends:          true,
		`shop-drill: could not restore, ConfigMap "config"` + ends:                    false,
		`shop-drill: could not restore, ConfigMap "kube-root-ca.crt.mine"` + ends:     false,
		`shop-drill: could not restore, ConfigMap:kube-root-ca.crt.mine` + ends:       false,
		`shop-drill: could not restore, Secret "kube-root-ca.crt"` + ends:             false,
		`shop: could not restore, ConfigMap "kube-root-ca.crt"` + ends:                false,
		`shop-drill: error restoring configmaps/shop-drill/kube-root-ca.crt`:          false,
		`cluster: shop-drill: could not restore, ConfigMap "kube-root-ca.crt"` + ends: false,
	} {
		if got := c.isUsual(line); got != want {
			t.Errorf("usual %v: %s", got, line)
		}
	}
}

// Completed is read, not trusted: what Velero counts it must have said.
func TestMessagesOfARestoreThatIsCompleted(t *testing.T) {
	const usual = "could not restore, ConfigMap:kube-root-ca.crt already exists. Warning: the in-cluster version is different than the backed-up version"
	messages := func(lines ...string) velero.Messages {
		return velero.Messages{Namespaces: map[string][]string{"shop-drill": lines}}
	}
	for name, test := range map[string]struct {
		results  velero.Results
		warnings int
		errors   int
		want     verify.Verdict
		whole    bool
	}{
		"clean":                {velero.Results{Warnings: messages(usual)}, 1, 0, verify.Inconclusive, true},
		"nothing said":         {velero.Results{}, 0, 0, verify.Inconclusive, true},
		"warned":               {velero.Results{Warnings: messages(usual, "a CSI driver is gone")}, 2, 0, verify.Fail, false},
		"warnings not stored":  {velero.Results{Warnings: messages(usual)}, 7, 0, verify.Inconclusive, false},
		"errors not stored":    {velero.Results{Warnings: messages(usual)}, 1, 1, verify.Inconclusive, false},
		"one of two is enough": {velero.Results{Warnings: messages("a CSI driver is gone")}, 2, 0, verify.Fail, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := &climb{plan: restorePlan{Into: "shop-drill"}, restored: &velerov1.Restore{Status: velerov1.RestoreStatus{Warnings: test.warnings, Errors: test.errors}}}
			if found, complains := c.weighMessages(test.results); found.Verdict != test.want || complains == test.whole {
				t.Errorf("got %s, complains %v: %s", found.Verdict, complains, found.Summary)
			}
		})
	}
}
