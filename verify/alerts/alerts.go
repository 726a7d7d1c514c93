package alerts

import (
	"time"

	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/verify"
)

// check is one alerts check of a scenario.
type check struct {
	name string
	spec Spec
	// every is the pause between polls.
	every time.Duration
}

var (
	_ verify.Check     = check{}
	_ verify.Preflight = check{}
)

// New makes the alerts check of that name.
func New(name string, spec Spec) verify.Check {
	return check{name: name, spec: spec, every: pollEvery}
}

// Permissions is empty: the check asks Prometheus and Alertmanager, never Kubernetes.
func (c check) Permissions() []kube.Permission { return nil }
