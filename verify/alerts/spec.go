// Package alerts checks alerts as a contract: those that must fire did so in
// time and got as far as promised, and nothing else fired because of us.
package alerts

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// How far an alert must get to count.
const (
	ProofFiring    = "firing"    // Prometheus holds it as firing
	ProofRouted    = "routed"    // Alertmanager holds it, and routes it to a receiver that is not null
	ProofNotified  = "notified"  // Alertmanager counts a notification to that receiver's integration
	ProofDelivered = "delivered" // the receiver itself has it
)

// Spec is the alerts check of a scenario.
type Spec struct {
	// Expect lists the alerts that must fire.
	Expect []Expectation `json:"expect,omitempty"`
	// Forbid lists what must not start firing during the run, apart from what Expect names.
	Forbid []Prohibition `json:"forbid,omitempty"`
}

// Expectation is one alert that must fire.
type Expectation struct {
	// Alert is the alertname.
	Alert string `json:"alert"`
	// Labels the alert must carry besides; names repeat, so be exact.
	Labels map[string]string `json:"labels,omitempty"`
	// Step whose injection the alert answers.
	Step string `json:"step"`
	// Within bounds the time from the beginning of the step's injection to firing.
	Within metav1.Duration `json:"within"`
	// ResolvesWithin bounds the time from the end of the faults to the alert's end; unset: need not resolve.
	ResolvesWithin *metav1.Duration `json:"resolvesWithin,omitempty"`
	// Proof is how far the alert must get: firing (default), routed, notified or delivered.
	Proof string `json:"proof,omitempty" jsonschema:"enum=firing,enum=routed,enum=notified,enum=delivered"`
}

// Prohibition is a set of alerts that must not start firing.
type Prohibition struct {
	// Alert is the alertname; empty means any.
	Alert string `json:"alert,omitempty"`
	// Labels an alert must carry to be forbidden.
	Labels map[string]string `json:"labels,omitempty"`
	// Except lists alerts that may fire all the same, each with its reason.
	Except []Exception `json:"except,omitempty"`
}

// Exception allows one alert.
type Exception struct {
	Alert  string            `json:"alert"`
	Labels map[string]string `json:"labels,omitempty"`
	// Reason is required: an allowance without one is forgotten.
	Reason string `json:"reason"`
}
