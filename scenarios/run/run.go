// Package run plays a game day: lock, baseline, observe, plan, inject, hold,
// undo, settle. It writes the record and is the only place that sets
// deadlines. What the record means is judged elsewhere, from the record alone.
package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/scenarios"
	"gameday.dev/gameday/verify"
)

// The budgets that a scenario does not set.
const (
	startBudget  = 30 * time.Second // for every observer to see the world
	undoBudget   = 5 * time.Minute  // for taking all faults back
	settleBudget = 5 * time.Minute  // for disturbed workloads to become whole
	finalGrace   = 30 * time.Second // for observers to collect what only the end can give
	tidyBudget   = 15 * time.Second // for releasing the lock
)

// ErrInterrupted is the cause of cancellation when a person or the platform
// asks the run to end; everything is undone first.
var ErrInterrupted = errors.New("interrupted")

var errTimeout = errors.New("the scenario's timeout has passed")

// Options is all that a run needs to know of its surroundings.
type Options struct {
	// ID names the run and labels everything it creates.
	ID       string
	Scenario scenarios.Scenario
	// Seed decides every random choice of the run.
	Seed int64

	Client kubernetes.Interface
	// Cluster is the name people know it by.
	Cluster string
	// Namespace holds the lock and the part of the record kept in the cluster.
	Namespace string
	// RunnerNode is the node this process runs on, empty outside a cluster.
	RunnerNode string

	Environment  string
	Prometheus   *verify.Endpoint
	Alertmanager *verify.Endpoint
	Receiver     *verify.Endpoint

	Host    string // for people who look for the runner
	Version string // of gameday

	// Dir is the run directory; it must not hold a journal yet.
	Dir string
	// Events receives what happens, for a live view; nil for none.
	Events chan<- journal.Event
	// Abandon, when closed, gives up undoing: the record in the cluster stays.
	Abandon <-chan struct{}
}

// Run plays the scenario and returns its record. An error means that there is
// no record to judge. ctx ends the run early; its cause is recorded.
func Run(ctx context.Context, options Options) (*journal.Record, error) {
	writer, err := journal.Create(options.Dir)
	if err != nil {
		return nil, refusal.New("free some space or choose another place with --runs-dir", "%v", err)
	}
	if options.Events != nil {
		writer.Subscribe(options.Events)
	}
	r := &runner{Options: options, journal: writer, settles: newSettles(ctx)}
	end := r.play(ctx)
	r.write("", journal.RunFinished, end)
	// A journal that could not be written has aborted the run by now and says
	// so in the record held in memory; closing it again would add nothing.
	_ = writer.Close()
	return writer.Record(), nil
}

// runner is one run in progress.
type runner struct {
	Options
	journal *journal.Writer
	ledger  *ledger
	watched []watched
	entries []entry           // what has been or is being injected, in order
	nodes   map[string]string // nodes touched so far, by name, to the step that did
	settles *settles
}

// play is the whole run, top to bottom.
func (r *runner) play(ctx context.Context) journal.RunEnd {
	if err := r.begin(ctx); err != nil {
		return refused(ctx, err)
	}
	preview := Preflight(ctx, r.Options)
	if err := preview.Refusal(); err != nil {
		return refused(ctx, err)
	}
	if err := ensureNamespace(ctx, r.Client, r.Namespace, r.ID); err != nil {
		return refused(ctx, err)
	}
	lock := &lock{client: r.Client, namespace: r.Namespace, holder: r.ID}
	if err := lock.acquire(ctx, func(holder string) {
		r.write("", journal.StepProgress, journal.Progress{Message: "the lock is held by " + holder + ": waiting to see whether it is alive"})
	}); err != nil {
		return refused(ctx, err)
	}
	defer r.tidy(ctx, lock.release)
	if err := r.refuseUnfinished(ctx); err != nil {
		return refused(ctx, err)
	}

	observers := r.observe(ctx)
	defer observers.stop()
	if err := r.baseline(ctx, observers); err != nil {
		return refused(ctx, err)
	}
	r.ledger = &ledger{client: r.Client, namespace: r.Namespace, id: r.ID}
	if err := r.ledger.open(ctx, header{ID: r.ID, Scenario: r.Scenario.Metadata.Name, Host: r.Host, Started: time.Now().UTC()}); err != nil {
		return refused(ctx, err)
	}

	runCtx, cancel := context.WithTimeoutCause(ctx, r.Scenario.Timeout(), errTimeout)
	defer cancel()
	runCtx, abort := context.WithCancelCause(runCtx)
	defer abort(nil)
	stopGuards := r.guard(runCtx, abort, lock)

	r.steps(runCtx, abort)
	undone := r.undoAll(ctx)
	interrupted := errors.Is(context.Cause(ctx), ErrInterrupted)
	if !interrupted {
		r.settle(ctx, runCtx)
	}
	r.settles.stop()
	observers.stop()
	stopGuards()
	return journal.RunEnd{Undone: undone, Interrupted: interrupted}
}

// begin opens the record with everything a judge needs.
func (r *runner) begin(ctx context.Context) error {
	document, err := json.Marshal(r.Scenario)
	if err != nil {
		return fmt.Errorf("encoding scenario: %w", err)
	}
	info := journal.RunInfo{
		ID: r.ID, Scenario: r.Scenario.Metadata.Name, Document: document, Seed: r.Seed,
		Cluster: r.Cluster, Environment: r.Environment, Gameday: r.Version, Host: r.Host,
	}
	version, versionErr := r.Client.Discovery().ServerVersion()
	if versionErr == nil {
		info.Kubernetes = version.GitVersion
	}
	r.write("", journal.RunStarted, info)
	if versionErr != nil {
		return refusal.New("check --context and --kubeconfig, and that the API server is up",
			"cluster %s does not answer: %v", r.Cluster, versionErr)
	}
	return context.Cause(ctx)
}

// refuseUnfinished keeps a new run away from a cluster in which an earlier run
// has left its faults.
func (r *runner) refuseUnfinished(ctx context.Context) error {
	left, err := findUnfinished(ctx, r.Client, r.Namespace)
	if err != nil || len(left) == 0 {
		return err
	}
	first := left[0].header
	return refusal.New("undo it with: gameday recover "+first.ID,
		"run %s (%s, from %s) was cut short and has not been undone", first.ID, first.Scenario, first.Host)
}

// write appends an event of the run or of a step. A failure ends the run
// through the guard on the journal, so the caller need not look.
func (r *runner) write(step, kind string, payload any) {
	_ = r.journal.Append(step, "", kind, payload)
}

// tidy runs what must happen even after an interruption, on a budget of its own.
func (r *runner) tidy(ctx context.Context, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyBudget)
	defer cancel()
	if err := do(ctx); err != nil {
		r.write("", journal.StepProgress, journal.Progress{Message: err.Error()})
	}
}

// refused is the end of a run that has touched nothing.
func refused(ctx context.Context, err error) journal.RunEnd {
	if errors.Is(context.Cause(ctx), ErrInterrupted) {
		return journal.RunEnd{Undone: true, Interrupted: true}
	}
	return journal.RunEnd{Undone: true, Refused: err.Error()}
}
