package verify

import (
	"testing"
	"time"

	"gameday.dev/gameday/internal/journal"
)

func TestWorse(t *testing.T) {
	const unheardOf = Verdict(7)
	for _, test := range []struct{ a, b, want Verdict }{
		{Pass, Pass, Pass},
		{Pass, Inconclusive, Inconclusive},
		{Pass, Fail, Fail},
		{Inconclusive, Fail, Fail},
		{Pass, unheardOf, Inconclusive},
		{unheardOf, unheardOf, Inconclusive},
	} {
		if got := Worse(test.a, test.b); got != test.want {
			t.Errorf("Worse(%v, %v) = %v, want %v", test.a, test.b, got, test.want)
		}
		if got := Worse(test.b, test.a); got != test.want {
			t.Errorf("Worse(%v, %v) = %v, want %v", test.b, test.a, got, test.want)
		}
	}
}

func TestTimelineOfADamagedRecord(t *testing.T) {
	start := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	event := func(seq int64, kind string) journal.Event {
		return journal.Event{Version: 1, Seq: seq, Kind: kind, Step: "kill", Time: start.Add(time.Duration(seq) * time.Second)}
	}
	for name, events := range map[string][]journal.Event{
		"a hole":  {event(1, journal.StepInjecting), event(3, journal.StepHeld)},
		"moved":   {event(2, journal.StepInjecting), event(1, journal.StepHeld)},
		"doubled": {event(1, journal.StepInjecting), event(1, journal.StepInjecting)},
	} {
		if _, err := ReadTimeline(journal.NewRecord(events)); err == nil {
			t.Errorf("%s: read without an error", name)
		}
	}
	timeline, err := ReadTimeline(journal.NewRecord([]journal.Event{event(1, journal.StepInjecting), event(2, journal.StepInjecting)}))
	if step, _ := timeline.Step("kill"); err != nil || !step.Injecting.Equal(start.Add(time.Second)) {
		t.Errorf("injected at %s (%v), want the first time", step.Injecting, err)
	}
}
