package kube

import (
	"context"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/types"
)

// budgetView is what the eviction loop needs of a budget.
type budgetView struct {
	key     string // namespace/name
	version string
	allowed int32
}

func keepBudget(budget *policyv1.PodDisruptionBudget) (budgetView, bool) {
	return budgetView{
		key:     budget.Namespace + "/" + budget.Name,
		version: budget.ResourceVersion,
		allowed: budget.Status.DisruptionsAllowed,
	}, true
}

// watchBudgets begins with the first budget that holds: most drains need none.
func (l *evictionLoop) watchBudgets(ctx context.Context) {
	if l.watch != nil || l.Client == nil {
		return
	}
	ctx, l.watch = context.WithCancel(ctx)
	l.helpers.Go(func() {
		// Without this watch the clock alone decides, which is slower, not wrong.
		_ = Follow(ctx, l.Client.PolicyV1().PodDisruptionBudgets(l.Namespace), FollowOptions{}, keepBudget,
			func(view map[types.UID]budgetView) bool {
				byKey := make(map[string]budgetView, len(view))
				for _, budget := range view {
					byKey[budget.key] = budget
				}
				select {
				case l.budgets <- byKey:
					return false
				case <-ctx.Done():
					return true
				}
			})
	})
}

// budgetsChanged makes parked pods due, for each budget as many as it allows.
func (l *evictionLoop) budgetsChanged(view map[string]budgetView) {
	for key, budget := range view {
		if before, ok := l.known[key]; !ok || before.version != budget.version {
			l.free(key, budget.allowed)
		}
	}
	for key := range l.known {
		if _, ok := view[key]; !ok { // the budget is no more: nothing holds its pods
			l.free(key, int32(len(l.pods)))
		}
	}
	l.known = view
}

func (l *evictionLoop) free(budget string, allowed int32) {
	now := time.Now()
	for i := range l.pods {
		pod := &l.pods[i]
		if allowed <= 0 {
			return
		}
		if pod.budget != budget || pod.Over() {
			continue
		}
		allowed-- // one under way uses up an allowance too
		if !pod.flying {
			pod.due = now
		}
	}
}
