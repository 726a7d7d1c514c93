package nodedrain

import (
	"fmt"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/internal/kube"
)

// class is what a drain does with a pod.
type class int

const (
	evict   class = iota
	stays         // belongs to the node: a DaemonSet's or a static pod
	leaving       // terminates already: waited for, not touched
	refused       // something is lost by evicting it; the scenario must say so
)

// classify decides about one pod, and says why when it is refused.
func (s *Spec) classify(pod *corev1.Pod) (class, string) {
	switch {
	case kube.Mirror(pod), kube.ManagedBy(pod, "DaemonSet"):
		return stays, ""
	case kube.Terminating(pod):
		return leaving, ""
	case kube.Finished(pod): // nothing is lost that was still needed
		return evict, ""
	}
	var reasons []string
	if metav1.GetControllerOf(pod) == nil && s.Unmanaged != "evict" {
		reasons = append(reasons, "no controller brings it back")
	}
	if name, ok := emptyDir(pod); ok && s.EmptyDirData != "delete" {
		reasons = append(reasons, fmt.Sprintf("loses emptyDir volume %q", name))
	}
	if len(reasons) > 0 {
		return refused, strings.Join(reasons, ", ")
	}
	return evict, ""
}

func emptyDir(pod *corev1.Pod) (string, bool) {
	for _, volume := range pod.Spec.Volumes {
		if volume.EmptyDir != nil {
			return volume.Name, true
		}
	}
	return "", false
}

// witness names what a pod is when the run's own evidence depends on it.
func witness(pod *corev1.Pod) string {
	witnesses := map[string]string{"prometheus": "Prometheus", "alertmanager": "Alertmanager", "velero": "Velero"}
	if name, ok := witnesses[pod.Labels["app.kubernetes.io/name"]]; ok {
		return name
	}
	for _, container := range pod.Spec.Containers {
		image, _, _ := strings.Cut(path.Base(container.Image), "@")
		image, _, _ = strings.Cut(image, ":")
		if name, ok := witnesses[image]; ok {
			return name
		}
	}
	return ""
}

// claims lists the PersistentVolumeClaims a pod uses.
func claims(pod *corev1.Pod) []string {
	var names []string
	for _, volume := range pod.Spec.Volumes {
		switch {
		case volume.PersistentVolumeClaim != nil:
			names = append(names, volume.PersistentVolumeClaim.ClaimName)
		case volume.Ephemeral != nil:
			names = append(names, pod.Name+"-"+volume.Name)
		}
	}
	return names
}
