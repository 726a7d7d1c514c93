package podkill

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

// parallel bounds the deletions under way at once. Evictions go one by one:
// those that compete for one budget make each other wait.
const parallel = 25

// fate is what became of one target.
type fate struct {
	target  journal.Target
	taken   bool
	gone    bool // before we came to it
	blocked bool
	why     string // it is neither taken nor gone
	err     error
}

// Inject takes the planned pods, each by its UID: a pod that has replaced one
// of them under the same name is left alone.
func (s *Spec) Inject(ctx context.Context, env experiments.Env, plan experiments.Plan) (journal.Outcome, error) {
	take := s.deleteAll
	if s.method() == MethodEvict {
		take = s.evictAll
	}
	fates := take(ctx, env, plan.Targets)
	// A cancellation that came after the last answer has changed nothing.
	if ctx.Err() != nil && !decided(fates) {
		return journal.Outcome{}, fmt.Errorf("killing pods in %s: %w", s.Namespace, context.Cause(ctx))
	}
	for _, fate := range fates {
		if fate.err != nil {
			return journal.Outcome{}, fate.err
		}
	}
	return s.outcome(fates), nil
}

// decided says whether pods were taken and no target is left whose fate a
// cancellation cut short.
func decided(fates []fate) bool {
	open := func(f fate) bool { return !f.taken && !f.gone }
	return !slices.ContainsFunc(fates, open) && slices.ContainsFunc(fates, func(f fate) bool { return f.taken })
}

// deleteAll deletes the targets side by side, as a failure would take them.
func (s *Spec) deleteAll(ctx context.Context, env experiments.Env, targets []journal.Target) []fate {
	fates := make([]fate, len(targets))
	var group errgroup.Group
	group.SetLimit(parallel)
	for i, target := range targets {
		group.Go(func() error {
			fates[i] = s.delete(ctx, env, target)
			return nil
		})
	}
	_ = group.Wait() // each fate keeps its own error
	return fates
}

// delete asks until the API server answers, or the step's timeout.
func (s *Spec) delete(ctx context.Context, env experiments.Env, target journal.Target) fate {
	ctx, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	asking, stopAsking := kube.Linger(ctx)
	defer stopAsking()
	uid := types.UID(target.UID)
	options := metav1.DeleteOptions{
		GracePeriodSeconds: s.graceSeconds(),
		Preconditions:      &metav1.Preconditions{UID: &uid},
	}
	unheard := false // an earlier attempt may have succeeded without our knowing
	for {
		if ctx.Err() != nil {
			return fate{target: target, err: fmt.Errorf("deleting pod %s: %w", target, context.Cause(ctx))}
		}
		err := env.Client.CoreV1().Pods(target.Namespace).Delete(asking, target.Name, options)
		// The only precondition is the UID: a conflict is another pod.
		gone := apierrors.IsNotFound(err) || apierrors.IsConflict(err)
		switch {
		case err == nil || gone && unheard:
			disrupted(env, target, "deleted", time.Now())
			return fate{target: target, taken: true}
		case gone:
			return fate{target: target, gone: true}
		case !kube.Unsure(err) || kube.Pause(ctx, time.Second) != nil:
			return fate{target: target, err: fmt.Errorf("deleting pod %s: %w", target, err)}
		}
		unheard = true
	}
}

// evictAll evicts the targets, trying again while budgets hold, until the
// step's timeout.
func (s *Spec) evictAll(ctx context.Context, env experiments.Env, targets []journal.Target) []fate {
	ctx, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	byUID := map[types.UID]journal.Target{}
	var pods []kube.PodRef
	for _, target := range targets {
		byUID[types.UID(target.UID)] = target
		pods = append(pods, kube.PodRef{Namespace: target.Namespace, Name: target.Name, UID: types.UID(target.UID)})
	}
	evictions := kube.Evictions{
		Client: env.Client, Namespace: s.Namespace, GracePeriodSeconds: s.graceSeconds(), Parallel: 1,
		Answered: func(pod kube.PodRef, answer kube.Answer, first bool) {
			switch {
			case answer.Kind == kube.Evicted:
				disrupted(env, byUID[pod.UID], "evicted", answer.At)
			case first && answer.Kind != kube.Gone:
				env.Record.Record(journal.StepProgress, journal.Progress{
					Message: fmt.Sprintf("%s is not evicted yet: %s", pod, answer.Why(pod)),
				})
			}
		},
	}
	var fates []fate
	for i, eviction := range evictions.Run(ctx, pods) {
		fates = append(fates, fateOf(targets[i], eviction))
	}
	return fates
}

func fateOf(target journal.Target, eviction kube.Eviction) fate {
	f := fate{target: target, why: eviction.Last.Why(eviction.Pod)}
	switch {
	case eviction.Accepted():
		f.taken = true
	case eviction.Last.Kind == kube.Gone:
		f.gone = true
	case eviction.Asked && eviction.Last.Kind == kube.Refused: // though a budget held it before
		f.err = fmt.Errorf("evicting pod %s: %w", target, eviction.Last.Err)
	case eviction.Last.Kind == kube.SeveralBudgets:
		f.blocked = true
	case eviction.Held != nil:
		f.blocked, f.why = true, eviction.Held.Why(eviction.Pod)
	}
	return f
}

// disrupted records a pod that this run took, for those who ask who did it.
func disrupted(env experiments.Env, target journal.Target, how string, at time.Time) {
	env.Record.Record(journal.PodDisrupted, journal.Disruption{Target: target, How: how, At: at.UTC()})
}

// graceSeconds rounds up: less grace than asked for would be another fault.
func (s *Spec) graceSeconds() *int64 {
	if s.GracePeriod == nil {
		return nil
	}
	seconds := int64(math.Ceil(s.GracePeriod.Seconds()))
	return &seconds
}
