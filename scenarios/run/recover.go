package run

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/scenarios"
)

// RecoverOptions says what to recover and where.
type RecoverOptions struct {
	Client    kubernetes.Interface
	Namespace string
	// ID is the run to recover; empty recovers every unfinished run.
	ID string
	// Dir is that run's directory, if it is at hand. Its journal is continued,
	// and serves when the ledger in the cluster is gone.
	Dir string
	// Holder is the identity under which the lock is taken.
	Holder string
	// Progress receives lines for people.
	Progress func(string)
	// Abandon, when closed, gives up.
	Abandon <-chan struct{}
}

// Recovered is what became of one unfinished run.
type Recovered struct {
	ID       string   `json:"id"`
	Scenario string   `json:"scenario"`
	Undone   []string `json:"undone,omitempty"`
	Left     []string `json:"left,omitempty"`
}

// Unfinished lists the ids of the runs that Recover would undo.
func Unfinished(ctx context.Context, options RecoverOptions) ([]string, error) {
	found, err := options.unfinished(ctx)
	var ids []string
	for _, one := range found {
		ids = append(ids, one.header.ID)
	}
	return ids, err
}

// Recover undoes what interrupted runs have left. It takes the lock first, so
// a run that is still alive is never undone under its own hands.
func Recover(ctx context.Context, options RecoverOptions) ([]Recovered, error) {
	todo, err := options.unfinished(ctx)
	if err != nil || len(todo) == 0 {
		return nil, err
	}
	lock := &lock{client: options.Client, namespace: options.Namespace, holder: options.Holder}
	if err := lock.acquire(ctx, func(holder string) {
		options.Progress("the lock is held by " + holder + ": waiting to see whether it is alive")
	}); err != nil {
		return nil, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyBudget)
		defer cancel()
		if err := lock.release(ctx); err != nil {
			options.Progress(err.Error())
		}
	}()
	keepCtx, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	kept := make(chan error, 1)
	go func() { kept <- lock.keep(keepCtx) }()

	// The holder may have finished while we waited for the lock: look again.
	if todo, err = options.unfinished(ctx); err == nil {
		var recovered []Recovered
		for _, one := range todo {
			done, undoErr := options.recoverOne(ctx, one)
			recovered = append(recovered, done)
			err = errors.Join(err, undoErr)
		}
		stopKeeping()
		return recovered, errors.Join(err, <-kept)
	}
	stopKeeping()
	return nil, errors.Join(err, <-kept)
}

// unfinished finds the runs asked for: in the cluster, else in the journal.
func (o RecoverOptions) unfinished(ctx context.Context) ([]unfinished, error) {
	found, err := findUnfinished(ctx, o.Client, o.Namespace)
	if err != nil {
		return nil, err
	}
	if o.ID == "" {
		return found, nil
	}
	for _, one := range found {
		if one.header.ID == o.ID {
			return []unfinished{one}, nil
		}
	}
	if o.Dir == "" {
		return nil, nil
	}
	return unfinishedInJournal(o.Dir)
}

func (o RecoverOptions) recoverOne(ctx context.Context, one unfinished) (Recovered, error) {
	ctx, cancel := undoContext(ctx, o.Abandon)
	defer cancel()
	done := Recovered{ID: one.header.ID, Scenario: one.header.Scenario}
	writer, err := o.reopen(one)
	if err != nil {
		o.Progress(err.Error()) // undoing matters more than writing it down
	}
	ledger := &ledger{client: o.Client, namespace: o.Namespace, id: one.header.ID}
	for _, e := range slices.Backward(one.entries) {
		tale := &teller{progress: o.Progress, step: e.Step.Name}
		if writer != nil {
			tale.next = writer.ForStep(e.Step.Name)
		}
		env := experiments.Env{Client: o.Client, RunID: one.header.ID, Record: tale}
		undoEntry(ctx, e, env, ledger)
		if tale.undone.OK {
			done.Undone = append(done.Undone, e.Step.Name+": "+orNothing(tale.undone.Summary))
		} else {
			done.Left = append(done.Left, e.Step.Name+": "+tale.undone.Left)
		}
	}
	if len(done.Left) == 0 {
		err = ledger.close(ctx)
	}
	if writer != nil {
		end := journal.RunEnd{Undone: len(done.Left) == 0 && err == nil}
		err = errors.Join(err, writer.Append("", "", journal.RunFinished, end), writer.Close())
	}
	return done, err
}

// reopen continues the journal of the run when its directory is at hand.
func (o RecoverOptions) reopen(one unfinished) (*journal.Writer, error) {
	if o.Dir == "" || o.ID != one.header.ID {
		return nil, nil
	}
	return journal.Reopen(o.Dir)
}

// unfinishedInJournal reads from a journal what a ledger would hold: the steps
// that were planned and not undone.
func unfinishedInJournal(dir string) ([]unfinished, error) {
	record, err := journal.Read(dir)
	if err != nil {
		return nil, err
	}
	info, err := record.Info()
	if err != nil {
		return nil, err
	}
	scenario, err := scenarios.Decode(info.Document)
	if err != nil {
		return nil, fmt.Errorf("reading the scenario in the record: %w", err)
	}
	steps := map[string]scenarios.Step{}
	for _, group := range groups(scenario.Spec.Steps) {
		for _, step := range group.steps {
			steps[step.Name] = step
		}
	}
	one := unfinished{header: header{ID: info.ID, Scenario: info.Scenario, Host: info.Host}}
	for event := range record.All() {
		switch event.Kind {
		case journal.StepPlanned:
			var planned journal.Planned
			if err := event.Decode(&planned); err != nil {
				return nil, err
			}
			plan := experiments.Plan{Targets: planned.Targets, Data: planned.Data}
			one.entries = append(one.entries, entry{Order: len(one.entries) + 1, Step: steps[event.Step], Plan: plan})
		case journal.StepUndone:
			var undone journal.Undone
			if err := event.Decode(&undone); err != nil {
				return nil, err
			}
			if undone.OK {
				one.entries = slices.DeleteFunc(one.entries, func(e entry) bool { return e.Step.Name == event.Step })
			}
		}
	}
	if len(one.entries) == 0 {
		return nil, nil
	}
	return []unfinished{one}, nil
}

// teller passes events on to a journal, if there is one, and tells a person.
type teller struct {
	next     journal.Recorder
	progress func(string)
	step     string
	undone   journal.Undone
}

// Record implements journal.Recorder.
func (t *teller) Record(kind string, payload any) {
	switch payload := payload.(type) {
	case journal.Undone:
		t.undone = payload
		if payload.OK {
			t.progress(t.step + ": " + orNothing(payload.Summary))
		} else {
			t.progress(t.step + ": " + payload.Left)
		}
	case journal.Progress:
		t.progress(t.step + ": " + payload.Message)
	}
	if t.next != nil {
		t.next.Record(kind, payload)
	}
}

func orNothing(summary string) string {
	if summary == "" {
		return "nothing to undo"
	}
	return summary
}
