package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// script answers evictions from a list for each pod; its last answer repeats.
type script struct {
	mu      sync.Mutex
	answers map[string][]Answer
	asked   []string
	flying  int
	most    int
	takes   time.Duration // each answer
}

func (s *script) ask(_ context.Context, pod PodRef) Answer {
	s.mu.Lock()
	s.asked = append(s.asked, pod.Name)
	s.flying++
	s.most = max(s.most, s.flying)
	answers := s.answers[pod.Name]
	answer := Answer{Kind: Evicted}
	if len(answers) > 0 {
		answer = answers[0]
	}
	if len(answers) > 1 {
		s.answers[pod.Name] = answers[1:]
	}
	s.mu.Unlock()
	time.Sleep(s.takes)
	s.mu.Lock()
	s.flying--
	s.mu.Unlock()
	answer.At = time.Now()
	return answer
}

func refs(n int) []PodRef {
	var pods []PodRef
	for i := range n {
		name := fmt.Sprintf("p%d", i)
		pods = append(pods, PodRef{Namespace: "shop", Name: name, UID: types.UID(name)})
	}
	return pods
}

var (
	held      = Answer{Kind: BudgetHolds, Budget: "web", Words: "needs 2 healthy, has 2"}
	throttled = Answer{Kind: Throttled, After: 7 * time.Second}
	away      = Answer{Kind: Unavailable, Err: errors.New("connection refused")}
	done      = Answer{Kind: Evicted}
	gone      = Answer{Kind: Gone}
	changed   = Answer{Kind: Unavailable, Err: apierrors.NewConflict(schema.GroupResource{Resource: "pods"}, "p0", errors.New("changed"))}
	unknown   = Answer{Kind: Refused, Err: apierrors.NewUnauthorized("who?")}
	denied    = Answer{Kind: Refused, Err: apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "p0", errors.New("no"))}
)

func TestEvictionsOfOnePod(t *testing.T) {
	tests := map[string]struct {
		answers []Answer
		want    AnswerKind
		took    time.Duration
		asked   int
	}{
		"at once":                        {[]Answer{done}, Evicted, 0, 1},
		"gone already":                   {[]Answer{gone}, Gone, 0, 1},
		"a budget holds for a while":     {[]Answer{held, held, done}, Evicted, 2 * retryHeld, 3},
		"throttled as long as asked for": {[]Answer{throttled, done}, Evicted, 7 * time.Second, 2},
		"away, then it happened unheard": {[]Answer{away, gone}, Evicted, retryDown, 2},
		"changed, then gone by others":   {[]Answer{changed, gone}, Gone, retryDown, 2},
		"unknown while starting up":      {[]Answer{away, unknown, done}, Evicted, 2 * retryDown, 3},
		"denied":                         {[]Answer{denied}, Refused, 0, 1},
		"denied while starting up":       {[]Answer{away, denied, done}, Evicted, 2 * retryDown, 3},
		"several budgets":                {[]Answer{{Kind: SeveralBudgets}}, SeveralBudgets, 0, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: map[string][]Answer{"p0": test.answers}}
				began := time.Now()
				got := Evictions{Parallel: 5, ask: s.ask}.Run(t.Context(), refs(1))[0]
				if got.Last.Kind != test.want || time.Since(began) != test.took || len(s.asked) != test.asked {
					t.Errorf("got %v after %v and %d requests, want %v after %v and %d",
						got.Last.Kind, time.Since(began), len(s.asked), test.want, test.took, test.asked)
				}
			})
		})
	}
}

func TestEvictionsSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{takes: time.Second}
		Evictions{Parallel: 4, ask: s.ask}.Run(t.Context(), refs(10))
		if s.most != 4 || len(s.asked) != 10 {
			t.Errorf("%d at once, %d in all, want 4 and 10", s.most, len(s.asked))
		}
	})
}

func TestEvictionsOfOneLaneFollowEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{takes: time.Second}
		e := Evictions{Parallel: 4, ask: s.ask, Lane: func(PodRef) string { return "shop/web" }}
		e.Run(t.Context(), refs(5))
		if s.most != 1 || len(s.asked) != 5 {
			t.Errorf("%d at once, %d in all, want 1 and 5", s.most, len(s.asked))
		}
	})
}

// What the budget says to one pod of a lane it says to all of them.
func TestHeldLaneIsAskedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]Answer{}}
		for _, pod := range refs(50) {
			s.answers[pod.Name] = []Answer{held}
		}
		ctx, cancel := context.WithTimeout(t.Context(), retryHeld/2)
		defer cancel()
		results := Evictions{Parallel: 25, ask: s.ask, Lane: func(PodRef) string { return "shop/web" }}.Run(ctx, refs(50))
		if len(s.asked) != 1 {
			t.Errorf("%d requests, want 1", len(s.asked))
		}
		for _, result := range results {
			if result.Held == nil || result.Waited == 0 {
				t.Fatalf("got %+v, want it held", result)
			}
		}
	})
}

// A hundred pods behind one budget must not become a hundred requests every
// five seconds.
func TestOneClockForEachBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]Answer{}}
		for _, pod := range refs(100) {
			s.answers[pod.Name] = []Answer{held}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		results := Evictions{Parallel: 25, ask: s.ask}.Run(ctx, refs(100))
		if len(s.asked) > 100+12 {
			t.Errorf("%d requests in a minute, want each pod once and one more every %v", len(s.asked), retryHeld)
		}
		if results[0].Held == nil || results[0].Waited < 59*time.Second {
			t.Errorf("got %+v, want it held for the whole minute", results[0])
		}
	})
}

func TestBudgetChangeFreesAsManyAsItAllows(t *testing.T) {
	s := &script{}
	loop := newEvictionLoop(Evictions{ask: s.ask, Parallel: 5}, refs(4))
	for i := range loop.pods {
		loop.pods[i].budget, loop.pods[i].due = "shop/web", time.Time{}
	}
	loop.known = map[string]budgetView{"shop/web": {version: "1"}}
	loop.budgetsChanged(map[string]budgetView{"shop/web": {version: "2", allowed: 2}})
	if got := freed(loop); got != 2 {
		t.Errorf("%d pods are due, want 2", got)
	}
	loop.budgetsChanged(map[string]budgetView{})
	if got := freed(loop); got != 4 {
		t.Errorf("%d pods are due once the budget is gone, want 4", got)
	}
}

func freed(loop *evictionLoop) int {
	count := 0
	for i := range loop.pods {
		if !loop.pods[i].due.IsZero() {
			count++
		}
	}
	return count
}

func TestPodThatLeftIsNotAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]Answer{"p0": {held}}}
		began := time.Now()
		e := Evictions{Parallel: 1, ask: s.ask, Left: func(types.UID) bool { return time.Since(began) > time.Second }}
		got := e.Run(t.Context(), refs(1))[0]
		if got.Last.Kind != Gone || len(s.asked) != 1 {
			t.Errorf("got %v after %v, want gone after one request", got.Last.Kind, s.asked)
		}
	})
}

// The pod went by a request of ours whose answer was lost, and was seen to leave
// before it could be asked for again.
func TestPodThatLeftUnheardIsOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]Answer{"p0": {away}}}
		began := time.Now()
		e := Evictions{Parallel: 1, ask: s.ask, Left: func(types.UID) bool { return time.Since(began) >= retryDown }}
		if got := e.Run(t.Context(), refs(1))[0]; !got.Accepted() || len(s.asked) != 1 {
			t.Errorf("got %v after %v, want it evicted by one request", got.Last.Kind, s.asked)
		}
	})
}

func TestClockPassesOnWhenItsPodLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]Answer{"p0": {held, held}, "p1": {held, held}}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var left types.UID // the pod on the clock
		e := Evictions{Parallel: 2, ask: s.ask, Left: func(uid types.UID) bool { return uid == left }}
		loop := newEvictionLoop(e, refs(2))
		for i := range loop.pods {
			loop.pods[i].budget, loop.pods[i].due = "shop/web", time.Time{}
		}
		loop.keepClock("shop/web")
		left = "p0"
		loop.run(ctx)
		if len(s.asked) == 0 || s.asked[0] != "p1" {
			t.Errorf("asked for %v, want p1 to take over", s.asked)
		}
	})
}

func TestNothingIsAskedOnceTheRunIsOver(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &script{}
	results := Evictions{Parallel: 2, ask: s.ask}.Run(ctx, refs(3))
	if len(s.asked) != 0 || len(results) != 3 {
		t.Errorf("asked for %v, want no request; %d results, want 3", s.asked, len(results))
	}
}

// A pod that was taken must be recorded, even when the run is cut short while
// the answer is on its way.
func TestLastWordsAreHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{takes: time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var heard []string
		e := Evictions{Parallel: 2, ask: s.ask, Answered: func(pod PodRef, answer Answer, _ bool) {
			if answer.Kind == Evicted {
				heard = append(heard, pod.Name)
			}
		}}
		e.Run(ctx, refs(5))
		slices.Sort(heard)
		if !slices.Equal(heard, []string{"p0", "p1"}) {
			t.Errorf("heard of %v, want p0 and p1, and no further requests", heard)
		}
	})
}

func TestLingerOutlivesItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		lingering, stop := Linger(ctx)
		defer stop()
		time.Sleep(time.Minute)
		cancel()
		ended := time.Now()
		<-lingering.Done()
		if took := time.Since(ended); took != lastWords {
			t.Errorf("lingered %v, want %v", took, lastWords)
		}
	})
}

func TestUnsure(t *testing.T) {
	tests := map[string]struct {
		err  error
		want bool
	}{
		"nothing":       {nil, false},
		"no answer":     {errors.New("connection refused"), true},
		"server failed": {apierrors.NewInternalError(errors.New("etcdserver: leader changed")), true},
		"timed out":     {apierrors.NewTimeoutError("request did not complete", 0), true},
		"not found":     {apierrors.NewNotFound(schema.GroupResource{}, "x"), false},
	}
	for name, test := range tests {
		if got := Unsure(test.err); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func TestUnreachable(t *testing.T) {
	unavailable := apierrors.NewGenericServerResponse(http.StatusServiceUnavailable, "get", schema.GroupResource{}, "", "", 0, true)
	tests := map[string]struct {
		err  error
		want bool
	}{
		"nothing":             {nil, false},
		"no answer":           {errors.New("connection refused"), true},
		"service unavailable": {unavailable, true},
		"not found":           {apierrors.NewNotFound(schema.GroupResource{}, "x"), false},
	}
	for name, test := range tests {
		if got := Unreachable(test.err); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}
