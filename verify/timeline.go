package verify

import (
	"fmt"
	"time"

	"gameday.dev/gameday/internal/journal"
)

// Timeline is when the faults of a run happened, read from its record. A zero
// time means not yet, or never.
type Timeline struct {
	Started    time.Time // run.started
	FirstFault time.Time // the first step began to inject
	Settling   time.Time // every fault was undone
	Finished   time.Time // run.finished
	// Now is as far as the record knows.
	Now   time.Time
	Steps []StepTimes
}

// StepTimes is when one step happened.
type StepTimes struct {
	Name       string
	Experiment string
	Injecting  time.Time
	Injected   time.Time
	Undone     time.Time
	Targets    []journal.Target
	Skipped    bool
}

// ReadTimeline finds the timeline of a record. A record with a hole is an error:
// what is missing may be the very event that breaks a promise.
func ReadTimeline(record *journal.Record) (Timeline, error) {
	timeline := Timeline{Now: record.Now()}
	index := map[string]int{}
	step := func(name string) *StepTimes {
		i, ok := index[name]
		if !ok {
			i = len(timeline.Steps)
			index[name] = i
			timeline.Steps = append(timeline.Steps, StepTimes{Name: name})
		}
		return &timeline.Steps[i]
	}
	var before int64
	for event := range record.All() {
		if event.Seq != before+1 {
			return timeline, fmt.Errorf("reading the record: event %d where %d was expected: events are missing or were moved", event.Seq, before+1)
		}
		before = event.Seq
		switch event.Kind {
		case journal.RunStarted:
			timeline.Started = event.Time
		case journal.RunSettling:
			timeline.Settling = event.Time
		case journal.RunFinished:
			timeline.Finished = event.Time
		case journal.StepPlanned:
			var planned journal.Planned
			if err := event.Decode(&planned); err != nil {
				return timeline, err
			}
			step(event.Step).Experiment = planned.Experiment
			step(event.Step).Targets = planned.Targets
		case journal.StepInjecting:
			if one := step(event.Step); one.Injecting.IsZero() { // deadlines count from the first attempt
				one.Injecting = event.Time
			}
			if timeline.FirstFault.IsZero() {
				timeline.FirstFault = event.Time
			}
		case journal.StepInjected:
			step(event.Step).Injected = event.Time
		case journal.StepUndone:
			step(event.Step).Undone = event.Time
		case journal.StepSkipped:
			step(event.Step).Skipped = true
		}
	}
	return timeline, nil
}

// Step finds a step by name.
func (t Timeline) Step(name string) (StepTimes, bool) {
	for _, step := range t.Steps {
		if step.Name == name {
			return step, true
		}
	}
	return StepTimes{}, false
}
