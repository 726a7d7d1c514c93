package experiments

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"

	"gameday.dev/gameday/internal/refusal"
)

// Limits is the blast radius: what a run may touch at the most. Its window is
// held by the loop, before any experiment is asked.
type Limits struct {
	// Namespaces whose objects may be chosen as targets.
	Namespaces []string
	// MaxPods is a number, or a percent of what a step's selector matches; nil
	// is no bound beyond the step's own count.
	MaxPods *intstr.IntOrString
	// MaxNodes counts distinct nodes over the whole run.
	MaxNodes int
}

// AllowNamespace refuses a namespace that is not listed.
func (l Limits) AllowNamespace(namespace string) error {
	if slices.Contains(l.Namespaces, namespace) {
		return nil
	}
	return refusal.New(
		fmt.Sprintf("add %q to spec.limits.namespaces if the run may touch it", namespace),
		"namespace %q is outside limits.namespaces (%s)", namespace, strings.Join(l.Namespaces, ", "))
}

// AllowPods refuses more than MaxPods pods out of the matched ones.
func (l Limits) AllowPods(pods, matched int) error {
	if l.MaxPods == nil {
		return nil
	}
	// Rounded down: 10% of 9 pods allows none, as a blast radius should.
	allowed, err := intstr.GetScaledValueFromIntOrPercent(l.MaxPods, matched, false)
	if err != nil {
		return fmt.Errorf("reading limits.maxPods: %w", err)
	}
	if pods <= allowed {
		return nil
	}
	return refusal.New("lower the step's count, or raise spec.limits.maxPods on purpose",
		"%d pods would be touched, limits.maxPods allows %d (%s of %d matched)", pods, allowed, l.MaxPods.String(), matched)
}

// AllowNodes refuses more than MaxNodes nodes.
func (l Limits) AllowNodes(nodes int) error {
	if nodes <= l.MaxNodes {
		return nil
	}
	return refusal.New("lower the step's count, or raise spec.limits.maxNodes on purpose",
		"%d nodes would be touched, limits.maxNodes allows %d", nodes, l.MaxNodes)
}
