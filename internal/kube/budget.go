package kube

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
)

// Budgets answers which PodDisruptionBudgets guard a pod, the way the
// eviction API does.
type Budgets struct{ list []guard }

type guard struct {
	budget   *policyv1.PodDisruptionBudget
	selector labels.Selector
}

// ListBudgets reads the budgets of a namespace, or of all when it is empty.
func ListBudgets(ctx context.Context, client kubernetes.Interface, namespace string) (Budgets, error) {
	var budgets Budgets
	_, err := Each(ctx, client.PolicyV1().PodDisruptionBudgets(namespace), metav1.ListOptions{},
		func(budget *policyv1.PodDisruptionBudget) error {
			// A selector that can't be read selects nothing; the API server agrees.
			if selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector); err == nil {
				budgets.list = append(budgets.list, guard{budget, selector})
			}
			return nil
		})
	if err != nil {
		return Budgets{}, fmt.Errorf("listing poddisruptionbudgets: %w", err)
	}
	return budgets, nil
}

// For returns the budgets that select the pod.
func (b Budgets) For(pod *corev1.Pod) []*policyv1.PodDisruptionBudget {
	var found []*policyv1.PodDisruptionBudget
	for _, guard := range b.list {
		if guard.budget.Namespace == pod.Namespace && guard.selector.Matches(labels.Set(pod.Labels)) {
			found = append(found, guard.budget)
		}
	}
	return found
}

// heedsBudget says whether the eviction API asks a budget at all before it
// removes the pod. It does not for pods that don't run.
func heedsBudget(pod *corev1.Pod) bool {
	return !Finished(pod) && !Terminating(pod) && pod.Status.Phase != corev1.PodPending
}

// NeverAllows says why a budget can't allow a disruption as things stand,
// however long one waits; empty when it can.
func NeverAllows(budget *policyv1.PodDisruptionBudget) string {
	status := budget.Status
	if failed := meta.FindStatusCondition(status.Conditions, policyv1.DisruptionAllowedCondition); failed != nil &&
		failed.Status == metav1.ConditionFalse && failed.Reason == policyv1.SyncFailedReason {
		return "its pods can't be counted: " + failed.Message
	}
	if none := budget.Spec.MaxUnavailable; none != nil && isZero(*none) {
		return "maxUnavailable is " + none.String()
	}
	if all := budget.Spec.MinAvailable; all != nil && all.Type == intstr.String && strings.TrimSpace(all.StrVal) == "100%" {
		return "minAvailable is 100%"
	}
	current := status.ObservedGeneration >= budget.Generation
	if current && status.ExpectedPods > 0 && status.DesiredHealthy >= status.ExpectedPods {
		return fmt.Sprintf("it needs %d healthy of %d pods", status.DesiredHealthy, status.ExpectedPods)
	}
	return ""
}

func isZero(value intstr.IntOrString) bool {
	if value.Type == intstr.Int {
		return value.IntVal == 0
	}
	return strings.TrimSpace(value.StrVal) == "0%"
}
