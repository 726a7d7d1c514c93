package experiments

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

// SettlePods is Settle for faults that take pods away: it waits until the pods
// among the plan's targets are gone for good and the workloads of recovery have
// as many Ready pods as before. describe puts the result into words.
func SettlePods(ctx context.Context, plan Plan, recovery kube.Recovery, describe func(kube.Recovered, time.Duration) string) (journal.Settled, error) {
	began := time.Now()
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
	return journal.Settled{Recovered: recovered.Whole, Seconds: took.Seconds(), Summary: describe(recovered, took)}, nil
}
