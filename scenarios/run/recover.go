package run

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/scenarios"
)

// RecoverOptions says what to recover and where.
type RecoverOptions struct {
	Client kubernetes.Interface
	// Dynamic reaches the same cluster.
	Dynamic dynamic.Interface
	// ID is the run to recover; empty recovers every unfinished run.
	ID string
	// Dir is that run's directory, if it is at hand. Its journal is continued,
	// and serves when the ledger in the cluster is gone.
	Dir string
	// Machine is where this process runs.
	Machine experiments.Machine
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
	lock := &lock{client: options.Client, holder: options.Holder}
	if err := options.acquire(ctx, lock); err != nil {
		return nil, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyBudget)
		defer cancel()
		if err := lock.release(ctx); err != nil {
			options.Progress(err.Error())
		}
	}()
	stopKeeping := keepLock(ctx, lock, func(err error) {
		options.Progress(err.Error()) // undoing goes on: it changes nothing when done twice
	})
	defer func() { _ = stopKeeping() }()

	// The holder may have finished while we waited for the lock: look again.
	if todo, err = options.unfinished(ctx); err != nil {
		return nil, err
	}
	var recovered []Recovered
	for _, one := range todo {
		recovered = append(recovered, options.recoverOne(ctx, one))
	}
	return recovered, nil
}

// acquire takes the lock, in a namespace that may be gone, and the ledger with
// it: then the journal is all there is.
func (o RecoverOptions) acquire(ctx context.Context, lock *lock) error {
	waiting := func(holder string) {
		o.Progress("the lock is held by " + holder + ": waiting to see whether it is alive")
	}
	err := lock.acquire(ctx, waiting)
	if !apierrors.IsNotFound(err) {
		return err
	}
	if err := ensureNamespace(ctx, o.Client, o.Holder); err != nil {
		return err
	}
	return lock.acquire(ctx, waiting)
}

// unfinished finds the runs asked for: in the cluster, else in the journal.
func (o RecoverOptions) unfinished(ctx context.Context) ([]unfinished, error) {
	found, err := findUnfinished(ctx, o.Client)
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

func (o RecoverOptions) recoverOne(ctx context.Context, one unfinished) Recovered {
	ctx, cancel := undoContext(ctx, o.Abandon)
	defer cancel()
	done := Recovered{ID: one.header.ID, Scenario: one.header.Scenario}
	writer, err := o.reopen(one)
	if err != nil {
		o.Progress(err.Error()) // undoing matters more than writing it down
	}
	ledger := &ledger{client: o.Client, id: one.header.ID}
	undoEntries(ctx, one.entries, ledger, func(e entry) experiments.Env {
		tale := &teller{progress: o.Progress, step: e.Step.Name, done: &done}
		if writer != nil {
			tale.next = writer.ForStep(e.Step.Name)
		}
		return experiments.Env{Client: o.Client, Dynamic: o.Dynamic, RunID: one.header.ID, Machine: o.Machine, Record: tale}
	})
	done.Left = append(done.Left, one.unreadable...)
	if len(done.Left) == 0 {
		if err := ledger.closeSoon(ctx); err != nil {
			done.Left = append(done.Left, err.Error())
		}
	}
	if writer != nil {
		if err := finishRecord(writer, done.Left); err != nil {
			o.Progress(err.Error())
		}
	}
	return done
}

// finishRecord ends the journal.
func finishRecord(writer *journal.Writer, left []string) error {
	_ = writer.Append("", "", journal.RunFinished, journal.RunEnd{Undone: len(left) == 0, Left: strings.Join(left, "; ")})
	return writer.Close() // says the first error of all
}

// reopen continues the journal of the run when its directory is at hand. The
// first thing it says is that the runner was killed: whatever the checks had
// seen until then, the run was not carried out.
func (o RecoverOptions) reopen(one unfinished) (*journal.Writer, error) {
	if o.Dir == "" || o.ID != one.header.ID {
		return nil, nil
	}
	writer, err := journal.Reopen(o.Dir)
	if err != nil {
		return nil, err
	}
	if _, finished := writer.Record().First(journal.RunFinished); !finished {
		_ = writer.Append("", "", journal.RunAborting, journal.Reason{
			Reason: "the runner was killed, and a recovery closed the record", Cause: "killed",
		})
	}
	return writer, nil
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
			step, ok := steps[event.Step]
			if !ok {
				return nil, fmt.Errorf("reading journal: step %s was planned and is not in the scenario of the record", event.Step)
			}
			plan := experiments.Plan{Targets: planned.Targets, Data: planned.Data}
			one.entries = append(one.entries, entry{Order: len(one.entries) + 1, Step: step, Plan: plan})
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

// teller passes events on to a journal, if there is one, tells a person, and
// adds up what was undone.
type teller struct {
	next     journal.Recorder
	progress func(string)
	step     string
	done     *Recovered
}

// Record implements journal.Recorder.
func (t *teller) Record(kind string, payload any) {
	switch payload := payload.(type) {
	case journal.Undone:
		line := t.step + ": " + payload.Left
		if payload.OK {
			line = t.step + ": " + orNothing(payload.Summary)
			t.done.Undone = append(t.done.Undone, line)
		} else {
			t.done.Left = append(t.done.Left, line)
		}
		t.progress(line)
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
