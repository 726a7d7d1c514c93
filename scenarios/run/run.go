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

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/scenarios"
	"gameday.dev/gameday/verify"
)

// Namespace holds the lock and the ledger.
const Namespace = experiments.Namespace

// The budgets that a scenario does not set.
const (
	startBudget    = 30 * time.Second // for every observer to see the world
	undoBudget     = 5 * time.Minute  // for taking all faults back
	settleBudget   = 5 * time.Minute  // for disturbed workloads to become whole
	finalGrace     = 30 * time.Second // for observers to collect what only the end can give
	ledgerPatience = 30 * time.Second // for an API server that is away between two steps
	tidyBudget     = 15 * time.Second // for releasing the lock
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
	// Dynamic and Exec reach the same cluster.
	Dynamic dynamic.Interface
	Exec    kube.Executor
	// Cluster is the name people know it by.
	Cluster string
	// RunnerNode is the node this process runs on, empty outside a cluster.
	RunnerNode string

	Environment  string
	Prometheus   *verify.Endpoint
	Alertmanager *verify.Endpoint
	Receiver     *verify.Endpoint
	// Etcd is nil when the environment has none.
	Etcd   *experiments.Etcd
	Velero experiments.Velero
	// Image is a container image with gameday in it; may be empty.
	Image string

	// Machine is where this process runs; its host is for people who look for it.
	Machine experiments.Machine
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
	return r.run(ctx), nil
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

// run plays the scenario and closes its record.
func (r *runner) run(ctx context.Context) *journal.Record {
	end := r.play(ctx)
	r.write("", journal.RunFinished, end)
	if err := r.journal.Close(); err != nil {
		// The verdict of what is not on the disk could not be had again.
		r.lost(&stop{"record", fmt.Errorf("the record can't be kept: %w", err)})
	}
	return r.journal.Record()
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
	if err := ensureNamespace(ctx, r.Client, r.ID); err != nil {
		return refused(ctx, err)
	}
	lock := &lock{client: r.Client, holder: r.ID}
	if err := lock.acquire(ctx, func(holder string) {
		r.write("", journal.StepProgress, journal.Progress{Message: "the lock is held by " + holder + ": waiting to see whether it is alive"})
	}); err != nil {
		return refused(ctx, err)
	}
	defer r.tidy(ctx, lock.release)
	// runCtx is the life of the run until it undoes; ctx ends with an interruption only.
	runCtx, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	stopKeeping := keepLock(ctx, lock, func(err error) { abort(&stop{"lock", err}) })
	defer func() { _ = stopKeeping() }()
	if err := r.refuseUnfinished(runCtx); err != nil {
		return refused(runCtx, err)
	}

	stopObservers := r.observe(ctx)
	defer stopObservers()
	if err := r.baseline(runCtx); err != nil {
		return refused(runCtx, err)
	}
	r.ledger = &ledger{client: r.Client, id: r.ID}
	if err := r.ledger.open(runCtx, header{
		ID: r.ID, Scenario: r.Scenario.Metadata.Name, Host: r.Machine.Host, Started: time.Now().UTC(), Format: ledgerFormat, Gameday: r.Version,
	}); err != nil {
		return refused(runCtx, err)
	}

	runCtx, cancel := context.WithTimeoutCause(runCtx, r.Scenario.Timeout(), errTimeout)
	defer cancel()
	stopGuards := r.guard(ctx, abort)

	r.steps(runCtx, abort)
	end := journal.RunEnd{Undone: true}
	if err := r.undoAll(ctx); err != nil {
		end.Undone, end.Left = false, err.Error()
	}
	if !wasInterrupted(ctx) {
		r.settle(ctx, runCtx)
	}
	end.Interrupted = wasInterrupted(ctx)
	r.settles.stop()
	stopObservers()
	stopGuards()
	if err := stopKeeping(); err != nil {
		// Another run may have been at work while this one settled.
		r.lost(&stop{"lock", err})
	}
	return end
}

// lost keeps a run from passing that lost something too late to be aborted.
func (r *runner) lost(cause *stop) {
	if _, aborted := r.journal.Record().First(journal.RunAborting); !aborted {
		r.write("", journal.RunAborting, reasonOf(cause))
	}
}

func wasInterrupted(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), ErrInterrupted)
}

// begin opens the record with everything a judge needs.
func (r *runner) begin(ctx context.Context) error {
	document, err := json.Marshal(r.Scenario)
	if err != nil {
		return fmt.Errorf("encoding scenario: %w", err)
	}
	info := journal.RunInfo{
		ID: r.ID, Scenario: r.Scenario.Metadata.Name, Document: document, Seed: r.Seed,
		Cluster: r.Cluster, Environment: r.Environment, Gameday: r.Version, Host: r.Machine.Host,
	}
	version, versionErr := r.Client.Discovery().ServerVersion()
	if versionErr == nil {
		info.Kubernetes = version.GitVersion
	}
	r.write("", journal.RunStarted, info)
	// A full disk takes a new file and refuses what is written to it.
	if err := r.journal.Sync(); err != nil {
		return refusal.New("free some space or choose another place with --runs-dir", "%v", err)
	}
	if versionErr != nil {
		return refusal.New("check --context and --kubeconfig, and that the API server is up",
			"cluster %s does not answer: %v", r.Cluster, versionErr)
	}
	return context.Cause(ctx)
}

// refuseUnfinished keeps a new run away from a cluster in which an earlier run
// has left its faults.
func (r *runner) refuseUnfinished(ctx context.Context) error {
	left, err := findUnfinished(ctx, r.Client)
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
	if wasInterrupted(ctx) {
		return journal.RunEnd{Undone: true, Interrupted: true}
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx) // it says why better than what it cut short
	}
	return journal.RunEnd{Undone: true, Refused: err.Error()}
}
