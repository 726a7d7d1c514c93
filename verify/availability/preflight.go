package availability

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/internal/near"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/verify"
)

// Preflight refuses a check that could never pass: of a workload that isn't
// there, that has no replicas, or with a floor above what it wants.
func (c *check) Preflight(ctx context.Context, env verify.Env) (notes []string, err error) {
	w := c.spec.Workload
	workloads := &feed[slimWorkload]{source: w.workloads(env.Client), reduce: reduceWorkload}
	all, _, err := workloads.listAll(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing %s in namespace %s: %w", resourceOf(w.Kind), w.Namespace, err)
	}
	at := slices.IndexFunc(all, func(found slimWorkload) bool { return found.name == w.Name })
	if at < 0 {
		return nil, c.noSuchWorkload(all)
	}
	workload := all[at]
	guarding, err := c.guarding(ctx, env.Client, workload)
	if err != nil {
		return nil, err
	}
	if workload.desired == 0 {
		return nil, refusal.New(fmt.Sprintf("scale it up, or take the check %s out of the scenario", c.name),
			"%s %s wants no replicas, so nothing can stay available", w.Kind, w)
	}
	floor, from := c.floorOf(workload, guarding)
	if floor > workload.desired {
		return nil, refusal.New(fmt.Sprintf("set availability.minAvailable of check %s to %d at the most", c.name, workload.desired),
			"the floor of %s is %d (%s), but it wants only %s", w, floor, from, plural(workload.desired, "replica"))
	}
	notes = append(notes, fmt.Sprintf("%s: floor is %d of %d (%s)", w, floor, workload.desired, from))
	switch floor {
	case 0:
		notes = append(notes, fmt.Sprintf("%s: a floor of 0 can't be broken; only the recovery is checked", w))
	case workload.desired:
		notes = append(notes, fmt.Sprintf("%s: the floor is the full count; the loss of any pod breaks it", w))
	}
	return notes, nil
}

// guarding lists the budgets of the workload's pods.
func (c *check) guarding(ctx context.Context, client kubernetes.Interface, workload slimWorkload) ([]slimBudget, error) {
	namespace := c.spec.Workload.Namespace
	budgets := &feed[slimBudget]{source: sourceOf("", client.PolicyV1().PodDisruptionBudgets(namespace)), reduce: reduceBudget}
	all, _, err := budgets.listAll(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing poddisruptionbudgets in namespace %s: %w", namespace, err)
	}
	byName := make(map[string]slimBudget, len(all))
	for _, budget := range all {
		byName[budget.name] = budget
	}
	return budgetsOf(workload, byName), nil
}

// noSuchWorkload names the namespace and what is there instead, the nearest
// name first.
func (c *check) noSuchWorkload(all []slimWorkload) error {
	w := c.spec.Workload
	if len(all) == 0 {
		return refusal.New(fmt.Sprintf("namespace %s has no %s at all: look at the namespace and the kind", w.Namespace, w.Kind),
			"no %s %s in namespace %s", w.Kind, w.Name, w.Namespace)
	}
	names := make([]string, 0, len(all))
	for _, found := range all {
		names = append(names, found.name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := near.Distance(a, w.Name) - near.Distance(b, w.Name); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	hint := fmt.Sprintf("%s in namespace %s: %s", resourceOf(w.Kind), w.Namespace, strings.Join(names[:min(len(names), most)], ", "))
	if near.Distance(names[0], w.Name) <= max(2, len(w.Name)/3) {
		hint = fmt.Sprintf("did you mean %s? %s", names[0], hint)
	}
	return refusal.New(hint, "no %s %s in namespace %s", w.Kind, w.Name, w.Namespace)
}
