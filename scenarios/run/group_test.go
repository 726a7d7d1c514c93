package run

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/scenarios"
)

func planOf(pods int, uids ...string) experiments.Plan {
	plan := experiments.Plan{Pods: pods}
	for _, uid := range uids {
		plan.Targets = append(plan.Targets, journal.Target{Kind: "Pod", Namespace: "shop", Name: "web-" + uid, UID: uid})
	}
	return plan
}

func TestParallelStepsStayWithinTheLimitsTogether(t *testing.T) {
	number, percent := intstr.FromInt(3), intstr.FromString("50%")
	both := group{steps: []scenarios.Step{{Name: "one"}, {Name: "two"}}}
	for name, test := range map[string]struct {
		group   group
		maxPods *intstr.IntOrString
		plans   []experiments.Plan
		refusal string
	}{
		"within":                  {both, &number, []experiments.Plan{planOf(1, "a"), planOf(2, "b", "c")}, ""},
		"past":                    {both, &number, []experiments.Plan{planOf(2, "a", "b"), planOf(2, "c", "d")}, "4 pods would be touched"},
		"a percent is each one's": {both, &percent, []experiments.Plan{planOf(2, "a", "b"), planOf(2, "c", "d")}, ""},
		"no limit":                {both, nil, []experiments.Plan{planOf(9, "a"), planOf(9, "b")}, ""},
		"the same pod":            {both, nil, []experiments.Plan{planOf(1, "a"), planOf(1, "a")}, "steps one and two both chose shop/web-a"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.group.allow(experiments.Limits{MaxPods: test.maxPods}, test.plans)
			if test.refusal == "" && err != nil || test.refusal != "" && (err == nil || !strings.Contains(err.Error(), test.refusal)) {
				t.Errorf("error %v, want %q", err, test.refusal)
			}
		})
	}
}

func TestWhatIsLentToParallelStepsIsNoMoreThanTheLimit(t *testing.T) {
	limit := intstr.FromInt(10)
	both := group{steps: []scenarios.Step{{Name: "one"}, {Name: "two"}}}
	lent := both.lend(experiments.Limits{MaxPods: &limit, MaxNodes: 2}, []entry{{Plan: planOf(3)}, {Plan: planOf(4)}})
	if one, two := lent[0].MaxPods.IntValue(), lent[1].MaxPods.IntValue(); one != 4 || two != 5 || lent[0].MaxNodes != 2 {
		t.Errorf("lent %d and %d of 10, and %d nodes; want 4, 5 and 2", one, two, lent[0].MaxNodes)
	}
	alone := group{steps: []scenarios.Step{{Name: "one"}}}
	if lent := alone.lend(experiments.Limits{MaxPods: &limit}, []entry{{Plan: planOf(3)}}); lent[0].MaxPods.IntValue() != 10 {
		t.Errorf("lent %d to a step that is alone, want all 10", lent[0].MaxPods.IntValue())
	}
}
