package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/client-go/kubernetes"
)

// Forecast is what budgets would say to a set of evictions.
type Forecast struct {
	// Notes say what each budget allows now, by the API server's own answer.
	Notes []string
	// Warnings name budgets that can never allow a disruption.
	Warnings []string
	// Impossible names the pods that no eviction can remove, because several
	// budgets select them.
	Impossible []string
}

// ForecastEvictions asks, by dry run, what each budget that guards one of the
// pods allows now. One question for each budget is enough: its answer is the
// same for all of its pods.
func ForecastEvictions(ctx context.Context, client kubernetes.Interface, budgets Budgets, pods []*corev1.Pod) (Forecast, error) {
	var forecast Forecast
	guarded := map[string][]*corev1.Pod{} // by namespace/budget
	byName := map[string]*policyv1.PodDisruptionBudget{}
	for _, pod := range pods {
		guards := budgets.For(pod)
		if len(guards) > 1 && heedsBudget(pod) {
			forecast.Impossible = append(forecast.Impossible, fmt.Sprintf("%s (PDBs %s)", RefOf(pod), budgetNames(guards)))
			continue
		}
		for _, budget := range guards {
			key := budget.Namespace + "/" + budget.Name
			guarded[key] = append(guarded[key], pod)
			byName[key] = budget
		}
	}
	slices.Sort(forecast.Impossible)
	for _, key := range slices.Sorted(maps.Keys(guarded)) {
		note, err := askBudget(ctx, client, byName[key], guarded[key])
		if err != nil {
			return Forecast{}, err
		}
		forecast.Notes = append(forecast.Notes, fmt.Sprintf("PDB %s guards %s: %s", key, plural(len(guarded[key]), "pod"), note))
		if why := NeverAllows(byName[key]); why != "" {
			forecast.Warnings = append(forecast.Warnings, fmt.Sprintf("PDB %s can never allow an eviction: %s", key, why))
		}
	}
	return forecast, nil
}

func askBudget(ctx context.Context, client kubernetes.Interface, budget *policyv1.PodDisruptionBudget, pods []*corev1.Pod) (string, error) {
	// A pod that is not Ready may go though the budget is spent; ask about one
	// that the budget really guards.
	asked := pods[0]
	if i := slices.IndexFunc(pods, Ready); i >= 0 {
		asked = pods[i]
	}
	answer := Evict(ctx, client, RefOf(asked), EvictOptions{DryRun: true})
	var note string
	switch answer.Kind {
	case Evicted:
		note = fmt.Sprintf("allows %s now", plural(int(budget.Status.DisruptionsAllowed), "disruption"))
		if budget.Status.DisruptionsAllowed == 0 {
			note = "lets " + RefOf(asked).String() + " go now"
		}
	case BudgetHolds:
		note = "allows none now: " + answer.Words
	case Refused:
		return "", fmt.Errorf("asking for a dry-run eviction of %s: %w", RefOf(asked), answer.Err)
	default:
		note = "can't be asked now: " + answer.Why(RefOf(asked))
	}
	if policy := budget.Spec.UnhealthyPodEvictionPolicy; policy != nil && *policy == policyv1.AlwaysAllow {
		note += "; pods that are not Ready may always go"
	}
	return note, nil
}

func budgetNames(budgets []*policyv1.PodDisruptionBudget) string {
	var names []string
	for _, budget := range budgets {
		names = append(names, budget.Name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// plural counts in English.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
