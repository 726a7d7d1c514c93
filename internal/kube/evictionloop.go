package kube

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// evictionLoop is the state of one Evictions.Run. One goroutine owns it; the
// requests and the budget watch only send to its channels.
type evictionLoop struct {
	Evictions
	pods    []evicting
	answers chan answered
	budgets chan map[string]budgetView
	known   map[string]budgetView // last seen of each budget
	helpers sync.WaitGroup
	watch   context.CancelFunc // set once budgets are watched

	flying    int             // requests under way
	busy      map[string]bool // lanes with a request under way
	notBefore time.Time       // nothing is asked before, the API server needs a rest
	down      bool            // the last answer was none: probe with one request at a time
	wasDown   time.Time       // when down was last true
}

// evicting is one pod's way out.
type evicting struct {
	Eviction
	flying bool
	// due is when to ask (again). Zero is parked: a change of its budget, or the
	// clock of that budget, makes it due.
	due       time.Time
	lane      string    // its budget, as far as the caller knew
	budget    string    // namespace/name of the budget that holds, empty if none did
	version   string    // of that budget when the pod was last asked for
	heldSince time.Time // zero when no budget has held it yet
	maybe     bool      // an earlier request may have evicted it unheard
}

func (p *evicting) parked() bool { return !p.flying && !p.Over() && p.due.IsZero() }

type answered struct {
	index  int
	answer Answer
}

func newEvictionLoop(e Evictions, pods []PodRef) *evictionLoop {
	if e.ask == nil {
		e.ask = func(ctx context.Context, pod PodRef) Answer {
			return Evict(ctx, e.Client, pod, EvictOptions{GracePeriodSeconds: e.GracePeriodSeconds})
		}
	}
	loop := &evictionLoop{
		Evictions: e,
		answers:   make(chan answered, len(pods)), // at most one a pod is under way
		budgets:   make(chan map[string]budgetView),
		known:     map[string]budgetView{},
		busy:      map[string]bool{},
	}
	now := time.Now()
	for _, pod := range pods {
		one := evicting{Eviction: Eviction{Pod: pod}, due: now}
		if e.Lane != nil {
			one.lane = e.Lane(pod)
		}
		loop.pods = append(loop.pods, one)
	}
	return loop
}

func (l *evictionLoop) run(ctx context.Context) []Eviction {
	// Requests outlive ctx for a moment, see lastWords.
	asking, stopAsking := context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		stopAsking()
		if l.watch != nil {
			l.watch()
		}
		l.helpers.Wait()
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()

	for ctx.Err() == nil { // looked at first: select might prefer an answer and ask for more
		l.askDue(asking)
		if l.over() {
			return l.results()
		}
		timer.Reset(l.untilDue())
		select {
		case <-ctx.Done():
		case a := <-l.answers:
			l.hear(a)
			if a.answer.Kind == BudgetHolds {
				l.watchBudgets(ctx)
			}
		case view := <-l.budgets:
			l.budgetsChanged(view)
		case <-timer.C:
		}
	}
	l.hearLastWords()
	return l.results()
}

func (l *evictionLoop) over() bool {
	for i := range l.pods {
		if !l.pods[i].Over() {
			return false
		}
	}
	return true
}

func (l *evictionLoop) results() []Eviction {
	var results []Eviction
	now := time.Now()
	for i := range l.pods {
		pod := &l.pods[i]
		if pod.Held != nil && !pod.Over() {
			pod.Waited = now.Sub(pod.heldSince)
		}
		results = append(results, pod.Eviction)
	}
	return results
}

// askDue starts a request for each pod that is due, as many as may fly.
func (l *evictionLoop) askDue(ctx context.Context) {
	now := time.Now()
	if now.Before(l.notBefore) {
		return
	}
	for i := range l.pods {
		pod := &l.pods[i]
		if l.full() {
			return
		}
		if pod.flying || pod.Over() {
			continue
		}
		if l.Left != nil && l.Left(pod.Pod.UID) {
			l.settle(pod, Answer{Kind: Gone, At: now.UTC(), Words: "gone before it was evicted"})
			l.keepClock(pod.budget) // it may have been the one on the clock
			continue
		}
		if pod.due.After(now) || !l.mayAsk(pod) {
			continue
		}
		pod.flying = true
		pod.version = l.known[pod.budget].version
		l.flying++
		l.busy[pod.lane] = true
		ref := pod.Pod
		l.helpers.Go(func() { l.answers <- answered{i, l.ask(ctx, ref)} })
	}
}

// mayAsk says that nothing but the clock keeps a pod from being asked for.
func (l *evictionLoop) mayAsk(pod *evicting) bool {
	return !pod.flying && !pod.Over() && !pod.due.IsZero() && (pod.lane == "" || !l.busy[pod.lane])
}

func (l *evictionLoop) full() bool {
	return l.flying >= l.Parallel || (l.down && l.flying > 0)
}

// untilDue is how long nothing needs to be asked.
func (l *evictionLoop) untilDue() time.Duration {
	next := time.Hour
	if l.full() {
		return next // an answer wakes the loop first
	}
	for i := range l.pods {
		if pod := &l.pods[i]; l.mayAsk(pod) {
			next = min(next, time.Until(pod.due))
		}
	}
	return max(next, time.Until(l.notBefore), 0)
}

// hear takes in one answer and decides when to ask for the pod again.
func (l *evictionLoop) hear(a answered) {
	pod := &l.pods[a.index]
	pod.flying = false
	l.flying--
	l.busy[pod.lane] = false
	denied := apierrors.IsForbidden(a.answer.Err) || apierrors.IsUnauthorized(a.answer.Err)
	if a.answer.Kind == Refused && denied && a.answer.At.Sub(l.wasDown) < startingUp {
		a.answer.Kind = Unavailable // it does not know its rules yet
	}
	l.settle(pod, a.answer)
	if l.down = a.answer.Kind == Unavailable && Unreachable(a.answer.Err); l.down {
		l.wasDown = a.answer.At
	}
	switch a.answer.Kind {
	case BudgetHolds:
		l.hold(pod, a.answer)
	case Throttled:
		pod.Throttled++
		pod.due = a.answer.At.Add(max(a.answer.After, retryDown))
		l.notBefore = pod.due
	case Unavailable:
		pod.maybe = pod.maybe || !apierrors.IsConflict(a.answer.Err) // a conflict did nothing
		pod.due = a.answer.At.Add(max(a.answer.After, retryDown))
		if l.down {
			l.notBefore = a.answer.At.Add(retryDown)
		}
	case NamespaceTerminating:
		pod.due = a.answer.At.Add(retryHeld) // until its end is seen
	}
	l.keepClock(pod.budget)
}

// settle keeps an answer and passes it on.
func (l *evictionLoop) settle(pod *evicting, answer Answer) {
	if answer.Kind == Gone && pod.maybe {
		// Our own earlier request, whose answer was lost, most likely took it.
		// Attributing it to us is the careful reading.
		answer.Kind = Evicted
	}
	first := !pod.Asked || pod.Last.Kind != answer.Kind || pod.Last.Words != answer.Words
	pod.Asked, pod.Last = true, answer
	if pod.Over() && !pod.heldSince.IsZero() {
		pod.Waited = answer.At.Sub(pod.heldSince)
	}
	if l.Answered != nil {
		l.Answered(pod.Pod, answer, first)
	}
}

// hold parks a pod until its budget changes.
func (l *evictionLoop) hold(pod *evicting, answer Answer) {
	if pod.heldSince.IsZero() {
		pod.heldSince = answer.At
	}
	pod.Held, pod.due = &answer, time.Time{}
	asked := pod.version
	pod.budget = pod.Pod.Namespace + "/" + answer.Budget
	if now, ok := l.known[pod.budget]; ok && asked != "" && now.version != asked && now.allowed > 0 {
		pod.due = answer.At // it changed for the better while we were asking
		return
	}
	l.holdLane(pod)
}

// holdLane parks the others of a lane along with a pod that its budget holds:
// each would be given the same answer.
func (l *evictionLoop) holdLane(held *evicting) {
	for i := range l.pods {
		pod := &l.pods[i]
		if pod.lane == "" || pod.lane != held.lane || pod.flying || pod.Over() || pod.Asked && pod.Last.Kind != BudgetHolds {
			continue
		}
		if pod.heldSince.IsZero() {
			pod.heldSince = held.Last.At
		}
		pod.Held, pod.budget, pod.due = held.Held, held.budget, time.Time{}
	}
}

// keepClock sees to it that of the pods parked at one budget a single one is
// tried now and then: the one asked for least recently.
func (l *evictionLoop) keepClock(budget string) {
	if budget == "" {
		return
	}
	var next *evicting
	for i := range l.pods {
		pod := &l.pods[i]
		switch {
		case pod.budget != budget || pod.Over():
		case !pod.parked():
			return
		case next == nil || pod.Last.At.Before(next.Last.At):
			next = pod
		}
	}
	if next != nil {
		next.due = time.Now().Add(retryHeld)
	}
}

// hearLastWords takes in the answers to what has been asked already.
func (l *evictionLoop) hearLastWords() {
	deadline := time.NewTimer(lastWords)
	defer deadline.Stop()
	for l.flying > 0 {
		select {
		case a := <-l.answers:
			l.hear(a)
		case <-deadline.C:
			return
		}
	}
}
