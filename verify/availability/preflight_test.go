package availability

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/verify"
)

func TestPreflight(t *testing.T) {
	tests := []struct {
		name     string
		spec     Spec
		replicas int32
		with     runtime.Object
		// refused and hint are parts of the refusal, note of the first note.
		refused, hint, note string
	}{
		{"no budget", Spec{}, 3, nil, "", "", "floor is 2 of 3 (replicas - 1)"},
		{"a budget", Spec{}, 3, budget("web", "", "34%"), "", "", "floor is 1 of 3 (PDB web)"},
		{"the scenario outranks the budget", Spec{MinAvailable: share("1")}, 3, budget("web", "2", ""), "", "", "floor is 1 of 3 (minAvailable 1)"},
		{"a misspelt name", Spec{Workload: Workload{kindDeployment, "shop", "wbe"}}, 3, nil,
			"no Deployment wbe in namespace shop", "did you mean web?", ""},
		{"another kind", Spec{Workload: Workload{kindStatefulSet, "shop", "web"}}, 3, nil,
			"no StatefulSet web in namespace shop", "no StatefulSet at all", ""},
		{"no replicas", Spec{}, 0, nil, "wants no replicas", "scale it up", ""},
		{"a floor above the replicas", Spec{MinAvailable: share("4")}, 3, nil, "the floor of shop/web is 4", "to 3 at the most", ""},
		{"a budget above the replicas", Spec{}, 3, budget("both", "4", ""), "is 4 (PDB both)", "to 3 at the most", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newShop(t)
			err := s.client.Tracker().Update(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, deployment("web", test.replicas), "shop")
			if err != nil {
				t.Fatal(err)
			}
			if test.with != nil {
				if err := s.client.Tracker().Add(test.with); err != nil {
					t.Fatal(err)
				}
			}
			if test.spec.Workload == (Workload{}) {
				test.spec.Workload = shopWeb
			}
			notes, err := New(checkName, test.spec).(verify.Preflight).Preflight(t.Context(), verify.Env{Client: s.client})
			if test.refused == "" {
				if err != nil || !strings.Contains(notes[0], test.note) {
					t.Errorf("notes %v, error %v", notes, err)
				}
				return
			}
			refused, ok := refusal.As(err)
			if !ok || !strings.Contains(refused.Reason, test.refused) || !strings.Contains(refused.Hint, test.hint) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestBudgetPromise(t *testing.T) {
	tests := []struct {
		minAvailable, maxUnavailable string
		desired, want                int
	}{
		{"2", "", 3, 2},
		{"50%", "", 3, 2},
		{"", "1", 3, 2},
		{"", "50%", 3, 1},
		{"", "100%", 3, 0},
		{"", "5", 3, 0},
	}
	for _, test := range tests {
		reduced, _ := reduceBudget(budget("web", test.minAvailable, test.maxUnavailable))
		if got := reduced.promise(test.desired); got != test.want {
			t.Errorf("minAvailable %q, maxUnavailable %q keeps %d of %d, want %d", test.minAvailable, test.maxUnavailable, got, test.desired, test.want)
		}
	}
}

func TestFloorOfNothing(t *testing.T) {
	none := intstr.FromInt32(0)
	for _, test := range []struct {
		spec    Spec
		desired int
		want    int
	}{
		{Spec{}, 1, 0}, {Spec{}, 0, 1}, {Spec{MinAvailable: share("50%")}, 0, 1}, {Spec{MinAvailable: &none}, 0, 0},
	} {
		c := &check{spec: test.spec}
		if got, source := c.floorOf(slimWorkload{desired: test.desired}, nil); got != test.want {
			t.Errorf("floor of %d replicas is %d (%s), want %d", test.desired, got, source, test.want)
		}
	}
}

func TestPermissions(t *testing.T) {
	var got []string
	for _, p := range New(checkName, Spec{Workload: shopWeb}).Permissions() {
		got = append(got, p.Namespace+":"+p.Rule.Resources[0])
		for _, verb := range p.Rule.Verbs {
			if verb != "get" && verb != "list" && verb != "watch" {
				t.Errorf("asks for %s of %v", verb, p.Rule.Resources)
			}
		}
	}
	want := "shop:deployments shop:pods shop:poddisruptionbudgets shop:endpointslices shop:replicasets :nodes"
	if line := strings.Join(got, " "); line != want {
		t.Errorf("%s, want %s", line, want)
	}
}
