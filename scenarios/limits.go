package scenarios

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/intstr"

	"gameday.dev/gameday/experiments"
)

// DefaultMaxNodes is how many nodes a run may touch when its limits do not say.
const DefaultMaxNodes = 1

// Limits are the blast radius: plan and run refuse to go past them.
type Limits struct {
	// Namespaces whose objects may be chosen as targets. A drain evicts
	// whatever runs on its node: it is bound by maxNodes and maxPods instead.
	// Needed unless every step is a proof, which touches nothing.
	Namespaces []string `json:"namespaces,omitempty" jsonschema:"minItems=1"`
	// MaxPods is a number, or a percent of what a step's selector matches,
	// rounded down. Unset: no bound beyond the step's own count.
	MaxPods *intstr.IntOrString `json:"maxPods,omitempty"`
	// MaxNodes counts distinct nodes over the whole run. Default 1; 0 forbids drains.
	MaxNodes *int `json:"maxNodes,omitempty" jsonschema:"minimum=0"`
	// Window is when a run may begin.
	Window *Window `json:"window,omitempty"`
}

// ForExperiments gives the limits as the experiments hold them.
func (l Limits) ForExperiments() experiments.Limits {
	limits := experiments.Limits{
		Namespaces: slices.Clone(l.Namespaces),
		MaxPods:    l.MaxPods,
		MaxNodes:   DefaultMaxNodes,
	}
	if l.MaxNodes != nil {
		limits.MaxNodes = *l.MaxNodes
	}
	return limits
}
