// Package nodedrain cordons nodes and evicts their pods through the eviction
// API, as an upgrade does. It never deletes a pod.
package nodedrain

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// What a drain may be expected to end in.
const (
	ExpectDrained = "drained"
	ExpectBlocked = "blocked"
)

// Spec is the nodeDrain step of a scenario.
type Spec struct {
	// Selector is a label selector over nodes, as kubectl -l takes it.
	Selector string `json:"selector"`
	// Count is a number, a percent (rounded up, at least 1) or "all". Default 1.
	Count *intstr.IntOrString `json:"count,omitempty"`
	// Timeout bounds the whole drain, retries for PodDisruptionBudgets included. Default 5m.
	Timeout *metav1.Duration `json:"timeout,omitempty"`
	// Expect is drained (default) or blocked: with blocked, a PodDisruptionBudget that holds is the passing outcome.
	Expect string `json:"expect,omitempty" jsonschema:"enum=drained,enum=blocked"`
	// GracePeriod given to every pod; unset is the pod's own.
	GracePeriod *metav1.Duration `json:"gracePeriod,omitempty"`
	// Unmanaged: evict also evicts pods that no controller brings back; unset refuses the drain.
	Unmanaged string `json:"unmanaged,omitempty" jsonschema:"enum=evict"`
	// EmptyDirData: delete also evicts pods whose emptyDir data is lost by it; unset refuses the drain.
	EmptyDirData string `json:"emptyDirData,omitempty" jsonschema:"enum=delete"`
}
