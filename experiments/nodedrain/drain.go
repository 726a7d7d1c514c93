package nodedrain

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

const (
	// parallel bounds the evictions under way at once.
	parallel = 25
	// reportEvery is how often a long drain says what it waits for.
	reportEvery = 15 * time.Second
)

var errTimeout = errors.New("the drain's timeout has passed")

// Inject cordons the nodes, evicts their pods and waits until they, and their
// volumes, have left. A drain that does not end within the step's timeout is
// an outcome, not an error.
func (s *Spec) Inject(ctx context.Context, env experiments.Env, plan experiments.Plan) (journal.Outcome, error) {
	d := drain{spec: s, env: env, plan: plan, planned: map[types.UID]bool{}, handled: map[types.UID]bool{}, spoken: map[string]bool{}}
	if err := plan.GetData(&d.own); err != nil {
		return journal.Outcome{}, err
	}
	for _, target := range plan.Targets {
		if target.Kind == "Pod" {
			d.planned[types.UID(target.UID)] = true
		}
	}
	d.pods = plan.Pods
	began := time.Now()
	timed, cancel := context.WithTimeoutCause(ctx, s.timeout(), errTimeout)
	defer cancel()
	err := d.run(timed)
	d.end = err
	switch {
	case ctx.Err() != nil:
		return journal.Outcome{}, fmt.Errorf("draining %s: %w", d.nodeNames(), context.Cause(ctx))
	case err != nil && timed.Err() == nil:
		return journal.Outcome{}, fmt.Errorf("draining %s: %w", d.nodeNames(), err)
	}
	return d.outcome(time.Since(began)), nil
}

// drain is one injection in progress.
type drain struct {
	spec *Spec
	env  experiments.Env
	plan experiments.Plan
	own  data

	tracker *tracker
	budgets kube.Budgets // as they were when the drain began
	planned map[types.UID]bool
	handled map[types.UID]bool // pods that were given to the eviction API
	pods    int                // held against the limits: the planned ones and those that came later

	evictions []kube.Eviction
	kept      []string        // pods that were there and may not be evicted
	left      []resident      // all that is still there at the end
	attached  []string        // volumes that are still attached
	end       error           // why the drain came to no end of its own
	spoken    map[string]bool // progress said already
}

// run is the whole drain, top to bottom. An error ends it early; what has been
// reached by then is in d.
func (d *drain) run(ctx context.Context) error {
	for _, node := range d.own.Nodes {
		if err := node.apply(ctx, d.env); err != nil {
			return err
		}
	}
	var err error
	if d.budgets, err = kube.ListBudgets(ctx, d.env.Client, metav1.NamespaceAll); err != nil {
		return err
	}
	stop := d.track(ctx)
	defer stop()
	defer func() { d.left = d.tracker.residents() }()

	// After the cordon nothing ordinary comes any more, so this first look is
	// complete. The second round takes what slipped in before the cordon was
	// known to the scheduler; a pod that tolerates cordons comes back for ever
	// and is not chased.
	if err := d.tracker.await(ctx, func([]resident) bool { return true }); err != nil {
		return err
	}
	first, kept := d.admit()
	d.kept = kept
	d.evict(ctx, first)
	if err := d.awaitGone(ctx); err != nil {
		return err
	}
	if late, _ := d.admit(); len(late) > 0 {
		d.evict(ctx, late)
		if err := d.awaitGone(ctx); err != nil {
			return err
		}
	}
	d.attached, err = awaitDetached(ctx, d.env.Client, d.nodes(), d.own.Volumes)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// track starts the watches and the reports; the function it returns ends them.
func (d *drain) track(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	d.tracker = newTracker(d.own.Nodes)
	var helpers sync.WaitGroup
	for _, node := range d.own.Nodes {
		helpers.Go(func() {
			d.tracker.follow(ctx, d.env.Client, node.Name, d.look, func(err error) {
				d.say("lost sight of %s for a moment: %v", node.Name, err)
			})
		})
	}
	helpers.Go(func() { d.report(ctx) })
	return func() {
		cancel()
		helpers.Wait()
	}
}

// look keeps what the drain needs of a pod.
func (d *drain) look(pod *corev1.Pod) resident {
	r := resident{pod: kube.RefOf(pod), node: pod.Spec.NodeName, finalizers: pod.Finalizers}
	r.class, r.why = d.spec.classify(pod)
	if pod.DeletionGracePeriodSeconds != nil {
		r.grace = *pod.DeletionGracePeriodSeconds
	}
	// A pod that is not Ready may go though its budget is spent, so it is asked for by itself.
	if guards := d.budgets.For(pod); len(guards) > 0 && kube.Ready(pod) {
		r.lane = guards[0].Namespace + "/" + guards[0].Name
	}
	return r
}

// admit lists who is to be evicted next. Pods that came after the plan count
// against the same limits as the planned ones; those that may not be evicted
// are kept.
func (d *drain) admit() (admitted []resident, kept []string) {
	for _, r := range d.tracker.residents() {
		if d.handled[r.pod.UID] || r.class == leaving {
			continue
		}
		if !d.planned[r.pod.UID] {
			if r.class == refused {
				kept = append(kept, fmt.Sprintf("%s (%s)", r.pod, r.why))
				continue
			}
			if d.env.Limits.AllowPods(d.pods+1, d.plan.Matched) != nil {
				kept = append(kept, fmt.Sprintf("%s (limits.maxPods allows no more)", r.pod))
				continue
			}
			d.pods++
		}
		d.handled[r.pod.UID] = true
		admitted = append(admitted, r)
	}
	return admitted, kept
}

func (d *drain) evict(ctx context.Context, residents []resident) {
	byUID := map[types.UID]resident{}
	var pods []kube.PodRef
	for _, r := range residents {
		byUID[r.pod.UID] = r
		pods = append(pods, r.pod)
	}
	evictions := kube.Evictions{
		Client: d.env.Client, GracePeriodSeconds: d.spec.graceSeconds(), Parallel: parallel, Left: d.tracker.left,
		Lane: func(pod kube.PodRef) string { return byUID[pod.UID].lane },
		Answered: func(pod kube.PodRef, answer kube.Answer, first bool) {
			switch {
			case answer.Kind == kube.Evicted:
				d.env.Record.Record(journal.PodDisrupted, journal.Disruption{Target: byUID[pod.UID].target(), How: "evicted", At: answer.At})
			case answer.Kind == kube.BudgetHolds:
				d.sayOnce("%s waits: %s", pod, answer.Why(pod))
			case first && answer.Kind != kube.Gone:
				d.say("%s is not evicted yet: %s", pod, answer.Why(pod))
			}
		},
	}
	d.evictions = append(d.evictions, evictions.Run(ctx, pods)...)
}

// awaitGone waits until every pod that was told to go has gone.
func (d *drain) awaitGone(ctx context.Context) error {
	told := map[types.UID]bool{}
	for _, eviction := range d.evictions {
		told[eviction.Pod.UID] = eviction.Accepted()
	}
	return d.tracker.await(ctx, func(residents []resident) bool {
		for _, r := range residents {
			if r.class == leaving || told[r.pod.UID] {
				return false
			}
		}
		return true
	})
}

// report says now and then what the drain waits for.
func (d *drain) report(ctx context.Context) {
	for kube.Pause(ctx, reportEvery) == nil {
		var waiting []string
		for _, r := range d.tracker.residents() {
			waiting = append(waiting, r.pod.String())
		}
		if len(waiting) > 0 {
			d.say("%s: %d pods are still there: %s", d.nodeNames(), len(waiting), shorten(waiting))
		}
	}
}

func (d *drain) say(format string, args ...any) {
	d.env.Record.Record(journal.StepProgress, journal.Progress{Message: fmt.Sprintf(format, args...)})
}

// sayOnce keeps a budget that holds a hundred pods to one line for each of its
// words. Only the goroutine of the evictions calls it.
func (d *drain) sayOnce(format string, pod kube.PodRef, why string) {
	if !d.spoken[why] {
		d.spoken[why] = true
		d.say(format, pod, why)
	}
}

func (d *drain) nodes() []string {
	var names []string
	for _, node := range d.own.Nodes {
		names = append(names, node.Name)
	}
	return names
}

func (d *drain) nodeNames() string { return strings.Join(d.nodes(), ", ") }
