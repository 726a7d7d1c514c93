package kube

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const (
	// retryHeld is how often a held pod is tried again when no budget changes.
	// A change is seen by watch, so this only covers what a watch can't show,
	// such as a pod that is no longer Ready and may go for that.
	retryHeld = 5 * time.Second
	// retryDown paces attempts while the API server gives no usable answer.
	retryDown = time.Second
	// startingUp is how long after an outage a denial is not taken at its word:
	// an API server that starts has not read its RBAC rules yet.
	startingUp = 30 * time.Second
)

// Evictions evicts many pods side by side and keeps at it while budgets hold.
type Evictions struct {
	Client kubernetes.Interface
	// Namespace whose budgets are watched; empty watches those of all.
	Namespace string
	// GracePeriodSeconds given to every pod; nil is each pod's own.
	GracePeriodSeconds *int64
	// Parallel bounds the requests under way at once.
	Parallel int
	// Lane names the budget that guards a pod, empty if none does or if the pod
	// may go all the same, as one that is not Ready may. The API server counts a
	// budget down under a lock that makes the losers wait half a second, so pods
	// of one lane are asked for one after the other, and an answer that the
	// budget holds is taken for all of them. May be nil.
	Lane func(PodRef) string
	// Left says that a pod has gone without us, so that it is not asked for
	// again: after its end another pod may have its name. May be nil.
	Left func(types.UID) bool
	// Answered is told every answer, from one goroutine. first is true for the
	// first one of its kind in a row for this pod, so that a listener need not
	// repeat itself. May be nil.
	Answered func(pod PodRef, answer Answer, first bool)

	// ask replaces the API server in tests.
	ask func(context.Context, PodRef) Answer
}

// Eviction is what became of one pod.
type Eviction struct {
	Pod PodRef
	// Last is the last answer; without one, the pod was never asked for.
	Last Answer
	// Asked says that the API server was asked at least once.
	Asked bool
	// Held is the last answer in which a budget held this pod or its lane, and
	// for how long the pod waited on budgets from then to its end.
	Held   *Answer
	Waited time.Duration
	// Throttled counts answers that asked for patience.
	Throttled int
}

// Accepted says that the pod was told to go by us.
func (e Eviction) Accepted() bool { return e.Asked && e.Last.Kind == Evicted }

// Over says that nothing remains to be asked for.
func (e Eviction) Over() bool {
	return e.Asked && (e.Last.Kind == Evicted || e.Last.Kind == Gone || e.Last.Kind == Refused || e.Last.Kind == SeveralBudgets)
}

// Run evicts the pods until every one of them is on its way, gone or refused
// for good, or ctx ends. It returns what became of each, in the order given.
func (e Evictions) Run(ctx context.Context, pods []PodRef) []Eviction {
	loop := newEvictionLoop(e, pods)
	return loop.run(ctx)
}
