package alerts

import (
	"strings"
	"testing"
	"time"

	"gameday.dev/gameday/verify"
)

var injected = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func second(n int) time.Time { return injected.Add(time.Duration(n) * time.Second) }

func firingFrom(alert string, spans ...[2]int) alertSeries {
	series := alertSeries{Labels: map[string]string{labelName: alert}, State: stateFiring}
	for _, span := range spans {
		series.Runs = append(series.Runs, alertRun{First: second(span[0]), Last: second(span[1])})
	}
	return series
}

// trusted is what is known of a Prometheus that works: its Watchdog fires and
// its rules are listed and evaluated.
func trusted(series ...alertSeries) *evidence {
	rules := []alertRule{
		{Name: "Down", Interval: 1, Health: "ok", Query: "up == 0"},
		{Name: "Bad", Interval: 1, Health: "ok", Query: "bad == 1"},
		{Name: "Watchdog", Interval: 1, Health: "ok", Query: "vector(1)", Watchdog: true},
	}
	look := ruled{second(-100), rules}
	return &evidence{
		timeline: verify.Timeline{
			FirstFault: injected, Settling: second(60), Now: second(200),
			Steps: []verify.StepTimes{{Name: "kill", Injecting: injected}},
		},
		series:   append(series, firingFrom("Watchdog", [2]int{-100, 200})),
		coverage: []stretch{{second(-100), second(200)}},
		final:    true,
		servers:  []server{{second(-100), serverState{StartTime: second(-1000)}}},
		rules:    []ruled{look}, all: []ruled{look},
		seen:      []beat{{second(199), second(199)}},
		asked:     &askedMark{At: second(200), Alertmanager: true, Receiver: true},
		intervals: map[string]time.Duration{"Down": time.Second, "Bad": time.Second, "Watchdog": time.Second},
	}
}

// An alert that fired before the step, and again after Prometheus was away, may
// never have ended: it answers no step.
func TestResumedFiringIsNoAnswer(t *testing.T) {
	want := Expectation{Alert: "Down", Step: "kill", Within: seconds(60)}
	series := firingFrom("Down", [2]int{-60, -5}, [2]int{30, 50})
	if o := trusted(series).judgeExpectation(want); o.verdict != verify.Pass {
		t.Errorf("ended and fired again: %v: %s", o.verdict, o.line)
	}
	restarted := trusted(series)
	restarted.servers = append(restarted.servers, server{second(20), serverState{StartTime: second(10)}})
	if o := restarted.judgeExpectation(want); o.verdict != verify.Inconclusive || !strings.Contains(o.line, "it had fired before") {
		t.Errorf("with a restart in between: %v: %s", o.verdict, o.line)
	}
}

func TestResolvedBeforeTheFaultsEnded(t *testing.T) {
	want := Expectation{Alert: "Down", Step: "kill", Within: seconds(60), ResolvesWithin: new(seconds(60))}
	e := trusted(firingFrom("Down", [2]int{10, 20}))
	if o := e.judgeExpectation(want); o.verdict != verify.Pass {
		t.Errorf("resolved: %v: %s", o.verdict, o.line)
	}
	e.timeline.Settling = time.Time{}
	if o := e.judgeExpectation(want); o.verdict != verify.Inconclusive {
		t.Errorf("faults never ended: %v: %s", o.verdict, o.line)
	}
}

func TestSilenceOfRulesThatAreGone(t *testing.T) {
	spec := Spec{Forbid: []Prohibition{{Alert: "Bad"}}}
	tests := map[string]struct {
		change func(*evidence)
		want   verify.Verdict
	}{
		"listed to the end": {func(*evidence) {}, verify.Pass},
		"gone meanwhile":    {func(e *evidence) { e.all = append(e.all, ruled{second(50), e.all[0].rules[2:]}) }, verify.Inconclusive},
		"never listed":      {func(e *evidence) { e.all = nil }, verify.Inconclusive},
		"its group stands still": {func(e *evidence) {
			e.seen = []beat{{second(100), second(40)}, {second(199), second(40)}}
		}, verify.Inconclusive},
		"not known to be evaluated, and no watchdog": {func(e *evidence) {
			e.rules[0].rules, e.series = e.rules[0].rules[:2], nil
			e.seen = []beat{{second(-90), second(-90)}}
		}, verify.Inconclusive},
	}
	for name, test := range tests {
		e := trusted()
		test.change(e)
		if o := e.judgeProhibitions(spec); o.verdict != test.want {
			t.Errorf("%s: %v: %s", name, o.verdict, o.line)
		}
	}
}

// What a poll saw stays, although the final collection no longer holds it.
func TestSamplesDoNotUnhappen(t *testing.T) {
	e := &evidence{intervals: map[string]time.Duration{"Down": time.Second}}
	e.setSeries([]sampleSet{
		{From: second(-100), To: second(10), Series: []alertSeries{firingFrom("Down", [2]int{-60, 5})}},
		{From: second(-100), To: second(200), Final: true, Series: []alertSeries{firingFrom("Down", [2]int{3, 8}, [2]int{30, 50})}},
	})
	runs := e.series[0].Runs
	if len(runs) != 2 || !runs[0].First.Equal(second(-60)) || !runs[0].Last.Equal(second(8)) || !runs[1].First.Equal(second(30)) {
		t.Errorf("runs %v", runs)
	}
}

func TestProofsWithoutGround(t *testing.T) {
	labels := map[string]string{labelName: "Down"}
	held := heldList{At: second(12), Alert: "Down", Alerts: []heldAlert{{Labels: labels, StartsAt: second(10), Receivers: []string{"pager"}, State: "active"}}}
	routing := []routingTable{{Integrations: map[string][]string{"pager": {"webhook"}}}}
	arrives := func(at, seen int) []arrived {
		return []arrived{{arrival{At: second(at), Receiver: "pager", Status: stateFiring, Labels: labels, StartsAt: second(10)}, second(seen)}}
	}
	tests := map[string]struct {
		proof  string
		change func(*evidence)
		want   verify.Verdict
	}{
		"delivered": {ProofDelivered, func(e *evidence) { e.arrived = arrives(12, 15) }, verify.Pass},
		"delivered late, by a clock that is behind":   {ProofDelivered, func(e *evidence) { e.arrived = arrives(-600, 90) }, verify.Inconclusive},
		"delivered in time, by a clock that is ahead": {ProofDelivered, func(e *evidence) { e.arrived = arrives(600, 15) }, verify.Pass},
		"never delivered":            {ProofDelivered, func(*evidence) {}, verify.Fail},
		"receiver was not asked":     {ProofDelivered, func(e *evidence) { e.asked.Receiver = false }, verify.Inconclusive},
		"never routed":               {ProofRouted, func(e *evidence) { e.held = nil }, verify.Fail},
		"Alertmanager was not asked": {ProofRouted, func(e *evidence) { e.held, e.asked.Alertmanager = nil, false }, verify.Inconclusive},
		"counters rose": {ProofNotified, func(e *evidence) {
			e.counts = []countList{
				{At: second(5), Counts: []sentCount{{Integration: "webhook", Total: 1000}}},
				{At: second(15), Previous: second(10), Counts: []sentCount{{Integration: "webhook", Total: 1001}}},
			}
		}, verify.Pass},
		"counters first seen after it fired": {ProofNotified, func(e *evidence) {
			e.series = e.series[:1] // nothing else fires
			e.counts = []countList{{At: second(15), Counts: []sentCount{{Integration: "webhook", Total: 1000}}}}
		}, verify.Inconclusive},
	}
	for name, test := range tests {
		e := trusted(firingFrom("Down", [2]int{10, 20}))
		e.held, e.routing = []heldList{held}, routing
		test.change(e)
		want := Expectation{Alert: "Down", Step: "kill", Within: seconds(60), Proof: test.proof}
		if o := e.judgeExpectation(want); o.verdict != test.want {
			t.Errorf("%s: %v: %s", name, o.verdict, o.line)
		}
	}
}
