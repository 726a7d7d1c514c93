package availability

import (
	"time"

	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/verify"
)

// DefaultRecoverWithin bounds recovery when the scenario does not.
const DefaultRecoverWithin = 5 * time.Minute

// check is the availability check of one scenario. It holds no state: what it
// saw is in the record, so that a judge in another process finds the same.
type check struct {
	name string
	spec Spec
}

// New makes the check called name.
func New(name string, spec Spec) verify.Check { return &check{name: name, spec: spec} }

var _ verify.Preflight = (*check)(nil)

// allowance is how long the floor may be broken.
func (c *check) allowance() time.Duration {
	if c.spec.MaxUnavailableFor == nil {
		return 0
	}
	return c.spec.MaxUnavailableFor.Duration
}

// recoverWithin is how long after the last fault the full count may be missing.
func (c *check) recoverWithin() time.Duration {
	if c.spec.RecoverWithin == nil {
		return DefaultRecoverWithin
	}
	return c.spec.RecoverWithin.Duration
}

// Permissions lists the least that Observe and Preflight need: reading only,
// in the workload's own namespace, and, if it may, the slices of its Services
// and the nodes its pods run on, which only tell causes.
func (c *check) Permissions() []kube.Permission {
	rule := func(group, resource string, verbs ...string) kube.Permission {
		return kube.Permission{
			Namespace: c.spec.Workload.Namespace,
			Rule:      kube.Rule(group, []string{resource}, verbs...),
		}
	}
	optional := func(permission kube.Permission) kube.Permission {
		permission.Optional = true
		return permission
	}
	permissions := []kube.Permission{
		rule("apps", resourceOf(c.spec.Workload.Kind), "get", "list", "watch"),
		rule("", "pods", "list", "watch"),
		rule("policy", "poddisruptionbudgets", "list", "watch"),
		optional(rule("discovery.k8s.io", "endpointslices", "list", "watch")),
	}
	if c.spec.Workload.Kind == kindDeployment {
		permissions = append(permissions, rule("apps", "replicasets", "list", "watch"))
	}
	nodes := rule("", "nodes", "list", "watch")
	nodes.Namespace = ""
	return append(permissions, optional(nodes))
}
