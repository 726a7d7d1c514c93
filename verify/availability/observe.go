package availability

import (
	"context"
	"fmt"
	"sync"
	"time"
	"unique"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/verify"
)

// Observe counts the available replicas until ctx ends and writes each change.
func (c *check) Observe(ctx context.Context, env verify.Env) error {
	workload, err := c.find(ctx, env.Client)
	if err != nil {
		return fmt.Errorf("observing %s: %w", c.spec.Workload, err)
	}
	o := &observer{
		check: c, env: env, clock: newClock(),
		inbox:  make(chan func(), 1024),
		failed: make(chan error, 1),
	}
	o.tally = newTally(c, env.Record, workload)
	if err := o.run(ctx); err != nil {
		return fmt.Errorf("observing %s: %w", c.spec.Workload, err)
	}
	return nil
}

// observer runs the feeds of one check and the goroutine that owns its tally.
type observer struct {
	check  *check
	env    verify.Env
	clock  clock
	tally  *tally
	pulse  *pulse
	inbox  chan func()
	failed chan error
	feeds  sync.WaitGroup
	// waiting is how many feeds have yet to give their first list.
	waiting int
}

func (o *observer) run(ctx context.Context) error {
	// The feeds outlive ctx until a last pulse has proven that what they showed
	// is all there was.
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	workloads := o.check.spec.Workload.workloads(o.env.Client)
	o.pulse = &pulse{
		clock: o.clock, get: workloads.get, name: o.check.spec.Workload.Name, grace: o.env.Grace,
		gap: func(gap gapEvent) { o.post(func() { o.gap(gap) }) },
	}
	o.start(watching, workloads.only(o.check.spec.Workload.Name))
	beating, flatline := context.WithCancel(ctx)
	defer flatline()
	o.feeds.Go(func() {
		o.pulse.run(beating)
		stop()
	})
	stopped := make(chan struct{})
	go func() {
		o.feeds.Wait()
		close(stopped)
	}()
	err := o.loop(stopped, flatline)
	if err == nil && !o.tally.live {
		return fmt.Errorf("the first lists were not complete: %w", context.Cause(ctx))
	}
	return err
}

// start begins the feeds. Those that the count can't do without end the
// observation when they can't be had; the others leave a note.
func (o *observer) start(ctx context.Context, workload source) {
	t, client, namespace := o.tally, o.env.Client, o.check.spec.Workload.Namespace
	follow(ctx, o, true, workload, reduceWorkload, sink[slimWorkload]{
		set: t.setWorkload, remove: t.removeWorkload,
		replace: func(items []slimWorkload, at time.Time, _ *gapEvent) {
			if len(items) == 0 {
				t.removeWorkload(t.workload, at)
			}
			for _, item := range items {
				t.setWorkload(item, at)
			}
		},
	})
	follow(ctx, o, true, sourceOf(watchPods, client.CoreV1().Pods(namespace)).labelled(t.workload.selector), reducePod,
		sink[seenPod]{set: t.setPod, remove: t.removePod, replace: t.replacePods})
	if o.check.spec.Workload.Kind == kindDeployment {
		o.followReplicaSets(ctx, client)
	} else {
		t.owners[unique.Make(t.workload.uid)] = struct{}{}
	}
	// Without a minAvailable of its own the floor is what the budgets promise.
	follow(ctx, o, o.check.spec.MinAvailable == nil, sourceOf("PodDisruptionBudget", client.PolicyV1().PodDisruptionBudgets(namespace)), reduceBudget,
		sink[slimBudget]{
			set: func(b slimBudget, at time.Time) { t.budgets[b.name] = b; t.republish(at) },
			remove: func(b slimBudget, at time.Time) {
				delete(t.budgets, b.name)
				t.republish(at)
			},
			replace: func(items []slimBudget, at time.Time, _ *gapEvent) {
				clear(t.budgets)
				for _, b := range items {
					t.budgets[b.name] = b
				}
				t.republish(at)
			},
		})
	follow(ctx, o, false, sourceOf("EndpointSlice", client.DiscoveryV1().EndpointSlices(namespace)), reduceSlice,
		sink[slimSlice]{
			set: t.setSlice, remove: t.removeSlice,
			replace: func(items []slimSlice, at time.Time, _ *gapEvent) { t.replaceSlices(items, at) },
		})
	follow(ctx, o, false, sourceOf("Node", client.CoreV1().Nodes()), reduceNode,
		sink[slimNode]{
			set: t.setNode, remove: t.removeNode,
			replace: func(items []slimNode, at time.Time, _ *gapEvent) { t.replaceNodes(items, at) },
		})
}

// followReplicaSets keeps the list of whose pods are the Deployment's.
func (o *observer) followReplicaSets(ctx context.Context, client kubernetes.Interface) {
	t := o.tally
	reduce := func(object runtime.Object) (slimOwner, bool) {
		set, ok := object.(*appsv1.ReplicaSet)
		if !ok {
			return slimOwner{}, false
		}
		slim := slimOwner{uid: unique.Make(string(set.UID)), owner: unique.Make("")}
		if owner := metav1.GetControllerOfNoCopy(set); owner != nil {
			slim.owner = unique.Make(string(owner.UID))
		}
		return slim, true
	}
	sets := sourceOf("ReplicaSet", client.AppsV1().ReplicaSets(o.check.spec.Workload.Namespace)).labelled(t.workload.selector)
	follow(ctx, o, true, sets, reduce, sink[slimOwner]{
		set: t.setReplicaSet,
		remove: func(set slimOwner, at time.Time) {
			delete(t.owners, set.uid)
			t.recount(at)
		},
		replace: func(items []slimOwner, at time.Time, _ *gapEvent) {
			clear(t.owners)
			for _, set := range items {
				t.setReplicaSet(set, at)
			}
			t.recount(at)
		},
	})
}

// follow starts one feed.
func follow[T any](ctx context.Context, o *observer, required bool, from source, reduce func(runtime.Object) (T, bool), to sink[T]) {
	o.waiting++
	replace := to.replace
	to.replace = func(items []T, at time.Time, gap *gapEvent) {
		if gap != nil && from.name != watchPods { // the pods' gap is written with what it proves
			o.gap(*gap)
		}
		replace(items, at, gap)
		if gap == nil {
			o.arrived(at)
		}
	}
	to.gap = o.gap
	f := &feed[T]{source: from, clock: o.clock, reduce: reduce, alive: o.pulse.alive, post: o.post, sink: to}
	o.feeds.Go(func() {
		err := f.run(ctx)
		if err == nil {
			return
		}
		if required {
			select {
			case o.failed <- err:
			default:
			}
			return
		}
		o.post(func() {
			o.env.Record.Record(eventNote, noteEvent{Note: fmt.Sprintf("not watched: %v", err)})
			o.arrived(o.clock.now())
		})
	})
}

// arrived counts the first lists; with the last of them the check sees the world.
func (o *observer) arrived(at time.Time) {
	if o.waiting--; o.waiting == 0 {
		o.tally.begin(at)
		o.env.Started()
	}
}

func (o *observer) gap(gap gapEvent) {
	if o.tally.live {
		o.env.Record.Record(eventGap, gap)
	}
}

func (o *observer) post(f func()) { o.inbox <- f }

// loop owns the tally. It goes on until every feed has stopped and all that
// they posted is taken in.
func (o *observer) loop(stopped <-chan struct{}, stop func()) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var failed error
	for {
		select {
		case f := <-o.inbox:
			f()
		case <-timer.C:
			o.tally.tick(o.clock.now())
		case err := <-o.failed:
			failed = err
			stop()
		case <-stopped:
			for len(o.inbox) > 0 {
				(<-o.inbox)()
			}
			if o.tally.live {
				o.env.Record.Record(eventEnded, endedEvent{At: o.clock.now()})
			}
			return failed
		}
		if due := o.tally.due(); due.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(max(0, due.Sub(o.clock.now())))
		}
	}
}

// find reads the workload: its selector and UID decide what is watched.
func (c *check) find(ctx context.Context, client kubernetes.Interface) (slimWorkload, error) {
	from := c.spec.Workload.workloads(client).only(c.spec.Workload.Name)
	f := &feed[slimWorkload]{source: from, reduce: reduceWorkload}
	for wait := retryFirst; ; wait = longer(wait) {
		found, _, err := f.listAll(ctx)
		for _, workload := range found {
			if workload.name == c.spec.Workload.Name {
				return workload, nil
			}
		}
		switch {
		case err == nil:
			return slimWorkload{}, fmt.Errorf("no such %s", c.spec.Workload.Kind)
		case apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || !pause(ctx, wait):
			return slimWorkload{}, fmt.Errorf("reading it: %w", err)
		}
	}
}
