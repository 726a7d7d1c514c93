package run

import (
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/scenarios"
)

// group is what is injected together and then held: one step, or the steps of
// a parallel group.
type group struct {
	steps []scenarios.Step
	hold  time.Duration
}

func groups(steps []scenarios.Step) []group {
	var all []group
	for _, step := range steps {
		one := group{steps: step.Parallel}
		if len(one.steps) == 0 {
			one.steps = []scenarios.Step{step}
		}
		if step.Hold != nil {
			one.hold = step.Hold.Duration
		}
		all = append(all, one)
	}
	return all
}

// allow holds the plans of parallel steps together against the limits, and
// refuses two steps that chose the same object: neither could say what it did.
func (g group) allow(limits experiments.Limits, plans []experiments.Plan) error {
	chosen := map[string]int{}
	pods := 0
	for i, plan := range plans {
		pods += plan.Pods
		for _, target := range plan.Targets {
			if other, taken := chosen[target.UID]; taken && other != i && target.UID != "" {
				return refusal.New("give them selectors that have nothing in common",
					"steps %s and %s both chose %s", g.steps[other].Name, g.steps[i].Name, target)
			}
			chosen[target.UID] = i
		}
	}
	if !g.shares(limits) {
		return nil
	}
	return limits.AllowPods(pods, pods)
}

// shares says whether the steps have one number of pods between them. A limit in
// percent is each step's own: their selectors differ.
func (g group) shares(limits experiments.Limits) bool {
	return len(g.steps) > 1 && limits.MaxPods != nil && limits.MaxPods.Type == intstr.Int
}

// lend gives each of parallel steps its part of the limits: what it has planned
// and an equal part of what is left, for pods that come later. Together they
// stay within the limit, whatever comes.
func (g group) lend(limits experiments.Limits, entries []entry) []experiments.Limits {
	lent := make([]experiments.Limits, len(entries))
	spare := 0
	if g.shares(limits) {
		spare = limits.MaxPods.IntValue()
		for _, e := range entries {
			spare -= e.Plan.Pods
		}
	}
	for i, e := range entries {
		lent[i] = limits
		if g.shares(limits) {
			part := intstr.FromInt(e.Plan.Pods + spare/len(entries))
			lent[i].MaxPods = &part
		}
	}
	return lent
}
