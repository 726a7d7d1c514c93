package podkill

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
)

// matchesNothing refuses a selector without pods. Its hint shows the values
// that the labels asked for really have: most empty selections are a typo.
func (s *Spec) matchesNothing(ctx context.Context, env experiments.Env, selector labels.Selector) error {
	labels := kube.NewLabelHint(selector)
	pods := 0
	_, err := kube.Each(ctx, env.Client.CoreV1().Pods(s.Namespace), metav1.ListOptions{}, func(pod *corev1.Pod) error {
		pods++
		labels.Add(pod.Labels)
		return nil
	})
	if err != nil {
		return fmt.Errorf("listing pods in %s: %w", s.Namespace, err)
	}
	hint := fmt.Sprintf("namespace %s has no pods at all: is the name right, is the application running?", s.Namespace)
	if pods > 0 {
		hint = fmt.Sprintf("of the %d pods there, %s", pods, labels)
	}
	return refusal.New(hint, "no pod in namespace %s matches %q", s.Namespace, s.Selector)
}
