package probe

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/internal/kube"
)

// readyPod is the first Ready pod by name that is not about to go.
func (o Options) readyPod(ctx context.Context, selector string) (*corev1.Pod, error) {
	var first *corev1.Pod
	all := 0
	_, err := kube.Each(ctx, o.Client.CoreV1().Pods(o.Namespace), metav1.ListOptions{LabelSelector: selector}, func(pod *corev1.Pod) error {
		all++
		if kube.Ready(pod) && (first == nil || pod.Name < first.Name) {
			first = pod
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for a pod to ask: %w", err)
	}
	if first == nil {
		return nil, fmt.Errorf("none of %d pods with %s is Ready", all, selector)
	}
	return first, nil
}
