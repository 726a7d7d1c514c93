package report

import (
	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/journal"
)

// stepRecord is a step together with what only judging it needs.
type stepRecord struct {
	Step
	expect   string // the scenario's own word, may be empty
	outcome  bool   // the injection's end is recorded
	holding  bool   // a hold began whose end is not recorded
	warnings []string
	proof    *backup.Result // of a step that proves something
}

// readSteps reads the steps in the order of the scenario; a record whose
// scenario cannot be read gives them in the order they began.
func readSteps(record *journal.Record, outline Outline, end ending, proofs map[string]backup.Result) ([]Step, error) {
	reader := stepReader{index: map[string]*stepRecord{}}
	for _, part := range outline.Steps {
		step := reader.step(part.Name)
		step.Experiment, step.expect = part.Type, part.Expect
	}
	for event := range record.All() {
		if event.Step == "" {
			continue
		}
		if err := reader.read(event); err != nil {
			return nil, err
		}
	}
	steps := make([]Step, 0, len(reader.order))
	for _, step := range reader.order {
		if proof, ok := proofs[step.Name]; ok {
			step.proof = &proof
		}
		step.conclude(end)
		steps = append(steps, step.Step)
	}
	return steps, nil
}

type stepReader struct {
	order []*stepRecord
	index map[string]*stepRecord
}

func (r *stepReader) step(name string) *stepRecord {
	if step, ok := r.index[name]; ok {
		return step
	}
	step := &stepRecord{Step: Step{Name: name}}
	r.order = append(r.order, step)
	r.index[name] = step
	return step
}

// read takes in one event of a step; kinds it does not know add no step.
func (r *stepReader) read(event journal.Event) error {
	switch event.Kind {
	case journal.StepPlanned:
		var planned journal.Planned
		if err := event.Decode(&planned); err != nil {
			return err
		}
		step := r.step(event.Step)
		step.Experiment, step.Targets = planned.Experiment, planned.Targets
		for _, warning := range planned.Warnings {
			step.warnings = append(step.warnings, "warning: "+warning)
		}
	case journal.StepInjecting:
		r.step(event.Step).Started = event.Time
	case journal.StepInjected:
		var outcome journal.Outcome
		if err := event.Decode(&outcome); err != nil {
			return err
		}
		step := r.step(event.Step)
		step.State, step.Expected, step.Summary = outcome.State, outcome.Expected, outcome.Summary
		step.Ended, step.outcome = event.Time, true
		if step.Started.IsZero() {
			step.Started = event.Time // what has ended had begun, though the record lost when
		}
	case journal.StepHolding:
		r.step(event.Step).holding = true
	case journal.StepHeld:
		r.step(event.Step).holding = false
	case journal.StepSkipped:
		var reason journal.Reason
		if err := event.Decode(&reason); err != nil {
			return err
		}
		step := r.step(event.Step)
		step.State, step.Summary = journal.Skipped, reason.Reason
	case journal.StepSettled:
		step := r.step(event.Step)
		step.Settled = new(journal.Settled)
		return event.Decode(step.Settled)
	case journal.StepUndone:
		step := r.step(event.Step) // the last attempt counts
		step.Undo = new(journal.Undone)
		return event.Decode(step.Undo)
	}
	return nil
}
