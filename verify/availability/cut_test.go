package availability

import (
	"strings"
	"testing"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// These records are of runs whose end was not seen, or seen late. Settling is
// at second 10, the deadline of the recovery at second 40.
func TestEndNotSeen(t *testing.T) {
	start := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	count := func(when float64, available int) countEvent {
		return countEvent{At: at(when), Available: available, Desired: 3, Floor: 2}
	}
	type step func(*memory)
	tells := func(when float64, kind string, payload any) step {
		return func(m *memory) {
			m.Record(kind, payload)
			m.events[len(m.events)-1].Time = at(when)
		}
	}
	loop := func(when float64, kind string, payload any) step {
		return func(m *memory) {
			m.run("", kind, payload)
			m.events[len(m.events)-1].Time = at(when)
		}
	}
	finished := journal.RunEnd{Undone: true}
	late := gapEvent{From: at(35), To: at(45), Watch: watchPods, Why: "the watch ended; resumed without loss"}
	tests := map[string]struct {
		allowed time.Duration
		steps   []step
		want    verify.Verdict
		summary string
	}{
		"killed while it recovered, closed an hour later": {0, []step{
			tells(20, eventCount, count(20, 2)), loop(25, journal.RunHeartbeat, nil), loop(3600, journal.RunFinished, finished),
		}, verify.Inconclusive, "cut short at 12:00:25.000"},
		"killed in an outage that was allowed, closed an hour later": {time.Minute, []step{
			tells(20, eventCount, count(20, 1)), loop(25, journal.RunHeartbeat, nil), loop(3600, journal.RunFinished, finished),
		}, verify.Inconclusive, "below 2 of 3 for 5s"},
		"killed after it had recovered": {time.Minute, []step{
			tells(20, eventCount, count(20, 3)), loop(21, journal.RunHeartbeat, nil), loop(3600, journal.RunFinished, finished),
		}, verify.Inconclusive, "cut short"},
		"killed after the deadline": {0, []step{
			tells(20, eventCount, count(20, 2)), loop(50, journal.RunHeartbeat, nil), loop(3600, journal.RunFinished, finished),
		}, verify.Fail, "2 of 3 available 30s after"},
		"left behind at the end": {time.Minute, []step{
			tells(50, journal.ObserverFailed, journal.Reason{Reason: "it was left behind"}), loop(50.01, journal.RunFinished, finished),
		}, verify.Inconclusive, "left behind"},
		"back, but stamped after the deadline by a late watch": {0, []step{
			tells(20, eventCount, count(20, 2)), tells(45, eventGap, late), tells(45, eventCount, count(44.9, 3)), tells(50, eventEnded, endedEvent{At: at(50)}),
		}, verify.Inconclusive, "cannot tell"},
		"lost, but stamped after the deadline by a late watch": {0, []step{
			tells(45, eventGap, late), tells(45, eventCount, count(44.9, 2)), tells(50, eventEnded, endedEvent{At: at(50)}),
		}, verify.Inconclusive, "cannot tell"},
		"nothing changed in a late watch": {0, []step{
			tells(45, eventGap, late), tells(50, eventEnded, endedEvent{At: at(50)}),
		}, verify.Pass, "never below"},
		"back after the deadline": {0, []step{
			tells(20, eventCount, count(20, 2)), tells(45, eventCount, count(44.9, 3)), tells(50, eventEnded, endedEvent{At: at(50)}),
		}, verify.Fail, "2 of 3 available 30s after"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := &memory{t: t}
			for _, tell := range append([]step{
				tells(0, eventCount, count(0, 3)), loop(1, journal.RunBaseline, journal.Baseline{Healthy: true}),
				loop(2, journal.StepInjecting, nil), loop(10, journal.RunSettling, nil),
			}, test.steps...) {
				tell(m)
			}
			check := New(checkName, Spec{Workload: shopWeb, RecoverWithin: lasting(30 * time.Second), MaxUnavailableFor: lasting(test.allowed)})
			finding := check.Judge(m.record())
			if finding.Verdict != test.want || !strings.Contains(finding.Summary, test.summary) {
				t.Errorf("%v: %s %q", finding.Verdict, finding.Summary, finding.Details)
			}
			if finding.Open {
				t.Error("it is open, although the record is closed")
			}
		})
	}
}

// A workload made anew with another selector is not this one any more. The
// record says so once, however often the workload changes after that.
func TestAnotherSelectorIsToldOnce(t *testing.T) {
	m := &memory{t: t}
	c := &check{name: checkName, spec: Spec{Workload: shopWeb}}
	tally := newTally(c, m, slimWorkload{name: "web", uid: "1", desired: 3, selector: "app=web"})
	tally.begin(time.Now())
	for range 3 {
		tally.setWorkload(slimWorkload{name: "web", uid: "2", desired: 3, selector: "app=shop"}, time.Now())
	}
	if gaps := of[gapEvent](m, eventGap); len(gaps) != 1 || !gaps[0].To.IsZero() || !gaps[0].Lost {
		t.Errorf("gaps %v", gaps)
	}
}
