package availability

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// slimWorkload is what is kept of the workload.
type slimWorkload struct {
	name, uid string
	desired   int
	minReady  int
	selector  string
	// labels are those of the pods it makes, which budgets select by.
	labels labels.Set
}

func reduceWorkload(object runtime.Object) (slimWorkload, bool) {
	switch w := object.(type) {
	case *appsv1.Deployment:
		return slim(&w.ObjectMeta, w.Spec.Selector, &w.Spec.Template, replicas(w.Spec.Replicas), w.Spec.MinReadySeconds)
	case *appsv1.StatefulSet:
		return slim(&w.ObjectMeta, w.Spec.Selector, &w.Spec.Template, replicas(w.Spec.Replicas), w.Spec.MinReadySeconds)
	case *appsv1.ReplicaSet:
		return slim(&w.ObjectMeta, w.Spec.Selector, &w.Spec.Template, replicas(w.Spec.Replicas), w.Spec.MinReadySeconds)
	case *appsv1.DaemonSet:
		// How many nodes want a pod is known to its controller only.
		return slim(&w.ObjectMeta, w.Spec.Selector, &w.Spec.Template, w.Status.DesiredNumberScheduled, w.Spec.MinReadySeconds)
	default:
		return slimWorkload{}, false
	}
}

func slim(header *metav1.ObjectMeta, selector *metav1.LabelSelector, template *corev1.PodTemplateSpec, desired, minReady int32) (slimWorkload, bool) {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return slimWorkload{}, false // The API server validates selectors; this one was never stored.
	}
	return slimWorkload{
		name: header.Name, uid: string(header.UID), desired: int(desired), minReady: int(minReady),
		selector: parsed.String(), labels: template.Labels,
	}, true
}

// replicas applies the API's default.
func replicas(count *int32) int32 {
	if count == nil {
		return 1
	}
	return *count
}

// slimBudget is what is kept of a PodDisruptionBudget.
type slimBudget struct {
	name                         string
	selector                     labels.Selector
	minAvailable, maxUnavailable *intstr.IntOrString
}

func reduceBudget(object runtime.Object) (slimBudget, bool) {
	budget, ok := object.(*policyv1.PodDisruptionBudget)
	if !ok {
		return slimBudget{}, false
	}
	selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
	if err != nil {
		return slimBudget{}, false
	}
	return slimBudget{
		name: budget.Name, selector: selector,
		minAvailable: budget.Spec.MinAvailable, maxUnavailable: budget.Spec.MaxUnavailable,
	}, true
}

// promise is how many of the desired pods the budget keeps, rounded as the
// disruption controller rounds: up, both ways.
func (b slimBudget) promise(desired int) int {
	if b.maxUnavailable != nil {
		return max(0, desired-scaled(b.maxUnavailable, desired))
	}
	if b.minAvailable != nil {
		return scaled(b.minAvailable, desired)
	}
	return 0
}

// scaled reads a number or a percent of the total, rounded up. Malformed
// values don't get past validation, ours or the API server's.
func scaled(value *intstr.IntOrString, total int) int {
	n, err := intstr.GetScaledValueFromIntOrPercent(value, total, true)
	if err != nil {
		return 0
	}
	return n
}

// budgetsOf picks the budgets that guard the workload's pods, by name.
func budgetsOf(workload slimWorkload, budgets map[string]slimBudget) []slimBudget {
	var guarding []slimBudget
	for _, budget := range budgets {
		if budget.selector.Matches(workload.labels) {
			guarding = append(guarding, budget)
		}
	}
	slices.SortFunc(guarding, func(a, b slimBudget) int { return strings.Compare(a.name, b.name) })
	return guarding
}

// floorOf says how many replicas were promised to stay available, and by what.
// A workload scaled to nothing keeps a floor of one, unless the scenario asks
// for none: a percentage of no replicas must not make an absent workload look
// available.
func (c *check) floorOf(workload slimWorkload, guarding []slimBudget) (floor int, source string) {
	floor, source = max(0, workload.desired-1), "replicas - 1"
	switch {
	case c.spec.MinAvailable != nil && scaled(c.spec.MinAvailable, 100) == 0:
		return 0, "minAvailable 0"
	case c.spec.MinAvailable != nil:
		floor, source = scaled(c.spec.MinAvailable, workload.desired), "minAvailable "+c.spec.MinAvailable.String()
	case len(guarding) > 0:
		floor = -1
		for _, budget := range guarding {
			if promise := budget.promise(workload.desired); promise > floor {
				floor, source = promise, "PDB "+budget.name
			}
		}
	}
	if workload.desired == 0 && floor == 0 {
		return 1, fmt.Sprintf("%s, at least 1", source)
	}
	return floor, source
}
