package podkill

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

// Settle waits until the pods taken are gone for good and their workloads have
// as many Ready pods as before. A pod without a controller is not waited for.
func (s *Spec) Settle(ctx context.Context, env experiments.Env, plan experiments.Plan) (journal.Settled, error) {
	var own data
	if err := plan.GetData(&own); err != nil {
		return journal.Settled{}, err
	}
	recovery := kube.Recovery{Client: env.Client, Workloads: own.Workloads, Newest: own.Newest, Strays: own.Strays}
	return experiments.SettlePods(ctx, plan, recovery, own.describe)
}

func (own data) describe(recovered kube.Recovered, took time.Duration) string {
	after := fmt.Sprintf("after %.1fs", took.Seconds())
	switch {
	case !recovered.Whole:
		return strings.Join(recovered.Missing, "; ") + " " + after
	case len(own.Workloads) == 0:
		return "no controller brings the pods back"
	case len(recovered.Replacements) == 0:
		return "full count Ready " + after
	case len(recovered.Replacements) == 1:
		return "replacement " + recovered.Replacements[0] + " Ready " + after
	default:
		return fmt.Sprintf("%d replacements Ready %s", len(recovered.Replacements), after)
	}
}

// Undo has nothing to take back: a pod that is gone stays gone, and bringing
// others up is its controller's work.
func (s *Spec) Undo(context.Context, experiments.Env, experiments.Plan) (string, error) {
	return "", nil
}
