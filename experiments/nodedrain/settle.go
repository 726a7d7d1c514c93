package nodedrain

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

// Settle waits until the workloads of the evicted pods have as many Ready pods
// as before, wherever those run. A pod without a controller is not waited for.
func (s *Spec) Settle(ctx context.Context, env experiments.Env, plan experiments.Plan) (journal.Settled, error) {
	began := time.Now()
	var own data
	if err := plan.GetData(&own); err != nil {
		return journal.Settled{}, err
	}
	recovery := kube.Recovery{Client: env.Client, Workloads: own.Workloads}
	for _, target := range plan.Targets {
		if target.Kind == "Pod" {
			recovery.Taken = append(recovery.Taken, kube.PodRef{Namespace: target.Namespace, Name: target.Name, UID: types.UID(target.UID)})
		}
	}
	recovered, err := recovery.Wait(ctx)
	if err != nil {
		return journal.Settled{}, err
	}
	took := time.Since(began)
	return journal.Settled{Recovered: recovered.Whole, Seconds: took.Seconds(), Summary: describe(own, recovered, took)}, nil
}

func describe(own data, recovered kube.Recovered, took time.Duration) string {
	switch {
	case !recovered.Whole:
		return fmt.Sprintf("%s, %s after the drain", strings.Join(recovered.Missing, "; "), seconds(took))
	case len(own.Workloads) == 0:
		return "no workload to wait for"
	case len(own.Workloads) == 1:
		return fmt.Sprintf("%s at full count %s after the drain", own.Workloads[0], seconds(took))
	default:
		return fmt.Sprintf("all %d workloads at full count %s after the drain", len(own.Workloads), seconds(took))
	}
}
