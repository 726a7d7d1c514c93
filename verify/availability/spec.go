// Package availability checks that a workload kept enough Ready replicas, from
// watches of the workload, its pods and their EndpointSlices.
package availability

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Spec is the availability check of a scenario.
type Spec struct {
	// Workload whose replicas are watched.
	Workload Workload `json:"workload"`
	// MinAvailable is the floor, a number or a percent of the replicas (rounded
	// up). Default: what the workload's PodDisruptionBudget promises, else replicas - 1.
	MinAvailable *intstr.IntOrString `json:"minAvailable,omitempty"`
	// MaxUnavailableFor is how long the floor may be broken, all breaches together. Default 0s.
	MaxUnavailableFor *metav1.Duration `json:"maxUnavailableFor,omitempty"`
	// RecoverWithin bounds the time from the end of the fault to the full count Ready again. Default 5m.
	RecoverWithin *metav1.Duration `json:"recoverWithin,omitempty"`
}

// Workload names a Deployment, StatefulSet, DaemonSet or ReplicaSet.
type Workload struct {
	Kind      string `json:"kind" jsonschema:"enum=Deployment,enum=StatefulSet,enum=DaemonSet,enum=ReplicaSet"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}
