package nodedrain

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

// Settle waits until the workloads of the evicted pods have as many Ready pods
// as before, wherever those run. A pod without a controller is not waited for.
func (s *Spec) Settle(ctx context.Context, env experiments.Env, plan experiments.Plan) (journal.Settled, error) {
	var own data
	if err := plan.GetData(&own); err != nil {
		return journal.Settled{}, err
	}
	recovery := kube.Recovery{Client: env.Client, Workloads: own.Workloads}
	return experiments.SettlePods(ctx, plan, recovery, own.describe)
}

func (own data) describe(recovered kube.Recovered, took time.Duration) string {
	switch {
	case !recovered.Whole:
		return fmt.Sprintf("%s, %s after the drain", strings.Join(recovered.Missing, "; "), seconds(took))
	case len(own.Workloads) == 0:
		return "no workload to wait for"
	}
	who := own.Workloads[0].String()
	if len(own.Workloads) > 1 {
		who = fmt.Sprintf("all %d workloads", len(own.Workloads))
	}
	if took < 100*time.Millisecond {
		return who + " at full count"
	}
	return fmt.Sprintf("%s at full count %s after the drain", who, seconds(took))
}
