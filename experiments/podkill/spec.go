// Package podkill takes pods away: by deletion, as a crash does, or through
// the eviction API, which obeys PodDisruptionBudgets.
package podkill

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The ways a pod is taken away.
const (
	MethodDelete = "delete"
	MethodEvict  = "evict"
)

// Spec is the podKill step of a scenario.
type Spec struct {
	// Namespace of the pods; must be listed in limits.namespaces.
	Namespace string `json:"namespace"`
	// Selector is a label selector, as kubectl -l takes it.
	Selector string `json:"selector"`
	// Exclude is a label selector of pods that are never chosen; it applies before counting.
	Exclude string `json:"exclude,omitempty"`
	// Count is a number, a percent (rounded up, at least 1) or "all". Default 1.
	Count *intstr.IntOrString `json:"count,omitempty"`
	// Method is delete (default: ignores PodDisruptionBudgets, as a crash does) or evict (obeys them).
	Method string `json:"method,omitempty" jsonschema:"enum=delete,enum=evict"`
	// GracePeriod given to the pod; unset is the pod's own.
	GracePeriod *metav1.Duration `json:"gracePeriod,omitempty"`
	// Timeout bounds evictions that a PodDisruptionBudget holds back. Default 1m.
	Timeout *metav1.Duration `json:"timeout,omitempty"`
	// Expect is done (default) or blocked: with blocked, a PodDisruptionBudget that holds is the passing outcome.
	Expect string `json:"expect,omitempty" jsonschema:"enum=done,enum=blocked"`
}
