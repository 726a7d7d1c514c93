package kube

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// PodRef names one pod for good. The name alone does not: a StatefulSet brings
// its pods back under the name they had.
type PodRef struct {
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	UID       types.UID `json:"uid"`
}

// RefOf names a pod.
func RefOf(pod *corev1.Pod) PodRef {
	return PodRef{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}
}

// String names the pod as people do: shop/web-1.
func (r PodRef) String() string { return r.Namespace + "/" + r.Name }

// Terminating says that the pod has been told to go.
func Terminating(pod *corev1.Pod) bool { return pod.DeletionTimestamp != nil }

// Finished says that the pod's work is over, well or badly.
func Finished(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// Ready says that the pod serves and is not about to go.
func Ready(pod *corev1.Pod) bool {
	condition := readyCondition(pod)
	return !Terminating(pod) && condition != nil && condition.Status == corev1.ConditionTrue
}

// Mirror says that the pod is a node's static pod as the API shows it; removing
// it there removes nothing.
func Mirror(pod *corev1.Pod) bool {
	_, ok := pod.Annotations[corev1.MirrorPodAnnotationKey]
	return ok
}

// ManagedBy says that a controller of this kind owns the pod.
func ManagedBy(pod *corev1.Pod, kind string) bool {
	owner := metav1.GetControllerOf(pod)
	return owner != nil && owner.Kind == kind
}

func readyCondition(pod *corev1.Pod) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == corev1.PodReady {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}
