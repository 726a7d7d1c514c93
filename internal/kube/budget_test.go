package kube

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/fake"
)

func TestNeverAllows(t *testing.T) {
	max := func(v string) policyv1.PodDisruptionBudget {
		value := intstr.Parse(v)
		return policyv1.PodDisruptionBudget{Spec: policyv1.PodDisruptionBudgetSpec{MaxUnavailable: &value}}
	}
	min := func(v string, desired, expected int32) policyv1.PodDisruptionBudget {
		value := intstr.Parse(v)
		return policyv1.PodDisruptionBudget{
			Spec:   policyv1.PodDisruptionBudgetSpec{MinAvailable: &value},
			Status: policyv1.PodDisruptionBudgetStatus{DesiredHealthy: desired, ExpectedPods: expected},
		}
	}
	unsynced := policyv1.PodDisruptionBudget{Status: policyv1.PodDisruptionBudgetStatus{Conditions: []metav1.Condition{{
		Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionFalse, Reason: policyv1.SyncFailedReason, Message: "found no controllers",
	}}}}
	outdated := min("3", 3, 3)
	outdated.Generation = 1
	tests := map[string]struct {
		budget policyv1.PodDisruptionBudget
		want   string
	}{
		"maxUnavailable 0":      {max("0"), "maxUnavailable is 0"},
		"maxUnavailable 0%":     {max("0%"), "maxUnavailable is 0%"},
		"maxUnavailable 1":      {max("1"), ""},
		"minAvailable 100%":     {min("100%", 0, 0), "minAvailable is 100%"},
		"minAvailable all":      {min("3", 3, 3), "it needs 3 healthy of 3 pods"},
		"minAvailable more":     {min("5", 5, 3), "it needs 5 healthy of 3 pods"},
		"minAvailable rounds":   {min("90%", 3, 3), "it needs 3 healthy of 3 pods"},
		"minAvailable one less": {min("2", 2, 3), ""},
		"guards no pod":         {min("2", 2, 0), ""},
		"status out of date":    {outdated, ""},
		"pods can't be counted": {unsynced, "its pods can't be counted: found no controllers"},
	}
	for name, test := range tests {
		if got := NeverAllows(&test.budget); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestForecastNamesPodsOfSeveralBudgets(t *testing.T) {
	budget := func(name string) *policyv1.PodDisruptionBudget {
		return &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
			Spec:       policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}},
		}
	}
	client := fake.NewClientset(budget("b"), budget("a"))
	budgets, err := ListBudgets(t.Context(), client, "shop")
	if err != nil {
		t.Fatal(err)
	}
	running := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1", Labels: map[string]string{"app": "web"}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
	elsewhere := running.DeepCopy()
	elsewhere.Namespace = "other"
	forecast, err := ForecastEvictions(t.Context(), client, budgets, []*corev1.Pod{running, elsewhere})
	if err != nil {
		t.Fatal(err)
	}
	if len(forecast.Impossible) != 1 || forecast.Impossible[0] != "shop/web-1 (PDBs a, b)" {
		t.Errorf("got %v", forecast.Impossible)
	}
}

func TestCount(t *testing.T) {
	tests := []struct {
		count      string
		candidates int
		want       int
		wrong      bool
	}{
		{"", 5, 1, false}, {"2", 5, 2, false}, {"7", 5, 7, false}, {"all", 5, 5, false},
		{"50%", 5, 3, false}, {"1%", 5, 1, false}, {"100%", 5, 5, false}, {"0", 5, 0, true}, {"most", 5, 0, true},
	}
	for _, test := range tests {
		var count *intstr.IntOrString
		if test.count != "" {
			value := intstr.Parse(test.count)
			count = &value
		}
		got, err := Count(count, test.candidates)
		if got != test.want && !test.wrong || (err != nil) != test.wrong {
			t.Errorf("%q of %d: got %d, %v, want %d", test.count, test.candidates, got, err, test.want)
		}
	}
}
