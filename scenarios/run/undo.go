package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

const (
	// Between two tries of an undo that fails: long enough for an API server to
	// restart, short enough to try often within the budget.
	undoRetryEvery = 2 * time.Second
	// undoTryBudget keeps one undo that hangs from using up the time of the others.
	undoTryBudget = time.Minute
)

var errStepsLeft = errors.New("not every step could be undone")

// undoAll takes every fault back, the last first, even after an interruption.
// It returns nil only when nothing is left, the ledger included.
func (r *runner) undoAll(ctx context.Context) error {
	ctx, cancel := undoContext(ctx, r.Abandon)
	defer cancel()
	undone := undoEntries(ctx, r.entries, r.ledger, func(e entry) experiments.Env {
		env := r.experimentEnv(e.Step, r.journal.ForStep(e.Step.Name))
		env.Rand = nil
		return env
	})
	if !undone {
		return errStepsLeft
	}
	return r.ledger.closeSoon(ctx)
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

// undoEntries takes faults back, the last first, and says whether none is
// left. Those that fail are tried again, round after round, until ctx ends: one
// that cannot be undone must not keep the others from it.
func undoEntries(ctx context.Context, entries []entry, ledger *ledger, envOf func(entry) experiments.Env) bool {
	var left []*undo
	for _, e := range slices.Backward(entries) {
		left = append(left, &undo{entry: e, env: envOf(e)})
	}
	for {
		left = slices.DeleteFunc(left, func(u *undo) bool { return u.try(ctx, ledger) })
		if len(left) == 0 {
			return true
		}
		if !slices.ContainsFunc(left, func(u *undo) bool { return !experiments.IsLasting(u.failure) }) {
			break
		}
		if kube.Pause(ctx, undoRetryEvery) != nil {
			break
		}
	}
	for _, u := range left {
		why := u.failure.Error()
		if !experiments.IsLasting(u.failure) {
			why = fmt.Sprintf("giving up (%v): %v", ctx.Err(), u.failure)
		}
		u.env.Record.Record(journal.StepUndone, journal.Undone{Left: why})
	}
	return false
}

// undo is the undoing of one step.
type undo struct {
	entry   entry
	env     experiments.Env
	failure error // of the last try
}

// try takes the fault back once, and strikes it from the ledger.
func (u *undo) try(ctx context.Context, ledger *ledger) bool {
	switch {
	case u.failure == nil:
		u.env.Record.Record(journal.StepUndoing, nil)
	case ctx.Err() != nil || experiments.IsLasting(u.failure):
		return false // the failure that is known says more than that time is up
	}
	ctx, cancel := context.WithTimeout(ctx, undoTryBudget)
	defer cancel()
	var summary string
	u.failure = contained("undoing "+u.entry.Step.Name, func() error {
		var err error
		summary, err = u.entry.Step.Experiment().Undo(ctx, u.env, u.entry.Plan)
		return err
	})
	if u.failure != nil {
		return false
	}
	u.env.Record.Record(journal.StepUndone, journal.Undone{OK: true, Summary: summary})
	// One try is enough: an entry that stays in the ledger is undone once more
	// by recover, which changes nothing, since an undo is idempotent.
	if err := ledger.remove(ctx, u.entry); err != nil {
		u.env.Record.Record(journal.StepProgress, journal.Progress{Message: err.Error()})
	}
	return true
}
