package run

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
)

// Between two tries of an undo that fails: long enough for an API server to
// restart, short enough to try often within the budget.
const undoRetryEvery = 2 * time.Second

// undoAll takes every fault back, the last first, even after an interruption,
// and says whether nothing is left.
func (r *runner) undoAll(ctx context.Context) bool {
	ctx, cancel := undoContext(ctx, r.Abandon)
	defer cancel()
	undone := true
	for _, e := range slices.Backward(r.entries) {
		env := r.experimentEnv(e.Step, r.journal.ForStep(e.Step.Name))
		env.Rand = nil
		if !undoEntry(ctx, e, env, r.ledger) {
			undone = false
		}
	}
	if !undone {
		return false
	}
	if err := r.ledger.close(ctx); err != nil {
		r.write("", journal.StepProgress, journal.Progress{Message: err.Error()})
		return false
	}
	return true
}

// undoContext is detached from the run's cancellation, has a budget of its
// own, and ends at once when a person abandons the undo.
func undoContext(ctx context.Context, abandon <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoBudget)
	if abandon == nil {
		return ctx, cancel
	}
	go func() {
		select {
		case <-abandon:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// undoEntry takes one fault back, trying again until ctx ends, and strikes it
// from the ledger.
func undoEntry(ctx context.Context, e entry, env experiments.Env, ledger *ledger) bool {
	env.Record.Record(journal.StepUndoing, nil)
	var summary string
	err := untilDone(ctx, func() error {
		var err error
		summary, err = e.Step.Experiment().Undo(ctx, env, e.Plan)
		return err
	})
	if err != nil {
		env.Record.Record(journal.StepUndone, journal.Undone{Left: err.Error()})
		return false
	}
	env.Record.Record(journal.StepUndone, journal.Undone{OK: true, Summary: summary})
	// An entry that stays in the ledger is undone once more by recover, which
	// changes nothing: an undo is idempotent.
	if err := untilDone(ctx, func() error { return ledger.remove(ctx, e) }); err != nil {
		env.Record.Record(journal.StepProgress, journal.Progress{Message: err.Error()})
	}
	return true
}

// untilDone calls do until it succeeds or ctx ends, and then returns the last
// reason, not merely that time is up.
func untilDone(ctx context.Context, do func() error) error {
	for {
		err := do()
		if err == nil {
			return nil
		}
		timer := time.NewTimer(undoRetryEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("giving up (%v): %w", ctx.Err(), err)
		}
	}
}
