package run

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
)

// steps injects one group after the other and ends early when one does not go
// as the scenario expects: a fault on top of the unexpected proves nothing.
func (r *runner) steps(ctx context.Context, abort context.CancelCauseFunc) {
	for _, group := range groups(r.Scenario.Spec.Steps) {
		if ctx.Err() != nil {
			r.skip(group, context.Cause(ctx).Error())
			continue
		}
		if err := r.playGroup(ctx, group); err != nil {
			abort(&stop{"failed", err})
		}
	}
	if ctx.Err() != nil {
		r.write("", journal.RunAborting, reasonOf(context.Cause(ctx)))
	}
}

func (r *runner) skip(group group, why string) {
	for _, step := range group.steps {
		r.write(step.Name, journal.StepSkipped, journal.Reason{Reason: why})
	}
}

// playGroup plans, injects and holds one group.
func (r *runner) playGroup(ctx context.Context, group group) error {
	entries, err := r.plan(ctx, group)
	if err != nil {
		r.skip(group, err.Error())
		return err
	}
	if err := r.commit(ctx, entries); err != nil {
		r.skip(group, err.Error())
		return err
	}
	errs := make([]error, len(entries))
	var injecting sync.WaitGroup
	lent := group.lend(r.Scenario.Spec.Limits.ForExperiments(), entries)
	for i, entry := range entries {
		injecting.Go(func() { errs[i] = r.inject(ctx, entry, lent[i]) })
	}
	injecting.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	r.hold(ctx, group)
	return nil
}

// plan decides what the group will touch, all of it before any of it is touched.
func (r *runner) plan(ctx context.Context, group group) ([]entry, error) {
	limits := r.Scenario.Spec.Limits.ForExperiments()
	touched := map[string]string{}
	for node, step := range r.nodes {
		touched[node] = step
	}
	var entries []entry
	var plans []experiments.Plan
	for _, step := range group.steps {
		var plan experiments.Plan
		err := contained("planning", func() (err error) {
			plan, err = step.Experiment().Plan(ctx, r.experimentEnv(step, r.journal.ForStep(step.Name)))
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("planning %s: %w", step.Name, err)
		}
		for _, node := range nodeNames(plan) {
			touched[node] = step.Name
		}
		plans = append(plans, plan)
		entries = append(entries, entry{Order: len(r.entries) + len(entries) + 1, Step: step, Plan: plan})
	}
	if err := group.allow(limits, plans); err != nil {
		return nil, err
	}
	if err := limits.AllowNodes(len(touched)); err != nil {
		return nil, err
	}
	r.nodes = touched
	return entries, nil
}

// commit makes the plans survive this process and this machine. Only then may
// anything be touched.
func (r *runner) commit(ctx context.Context, entries []entry) error {
	for _, e := range entries {
		r.write(e.Step.Name, journal.StepPlanned, journal.Planned{
			Experiment: e.Step.Kind(), Targets: e.Plan.Targets, Warnings: e.Plan.Warnings, Data: e.Plan.Data,
		})
	}
	if err := r.journal.Sync(); err != nil {
		return refusal.New("free some space for the run directory", "%v", err)
	}
	if err := r.enter(ctx, entries); err != nil {
		return err
	}
	r.entries = append(r.entries, entries...)
	return nil
}

// enter writes the entries to the ledger. An earlier step may have taken the API
// server's node, so a moment without it is no reason to end the run.
func (r *runner) enter(ctx context.Context, entries []entry) error {
	deadline := time.Now().Add(ledgerPatience)
	for {
		err := r.ledger.add(ctx, entries...)
		if err == nil || !kube.Unreachable(err) || time.Now().After(deadline) {
			return err
		}
		if kube.Pause(ctx, undoRetryEvery) != nil {
			return err
		}
	}
}

// inject runs one step's fault, within the limits lent to it, and starts to
// watch for its recovery.
func (r *runner) inject(ctx context.Context, e entry, limits experiments.Limits) error {
	name := e.Step.Name
	env := r.experimentEnv(e.Step, r.journal.ForStep(name))
	env.Rand, env.Limits = nil, limits
	began := time.Now()
	r.write(name, journal.StepInjecting, nil)
	var outcome journal.Outcome
	err := contained("injecting", func() (err error) {
		outcome, err = e.Step.Experiment().Inject(ctx, env, e.Plan)
		return err
	})
	if err != nil {
		outcome = journal.Outcome{State: journal.Failed, Summary: firstLine(err)}
	}
	r.write(name, journal.StepInjected, outcome)
	r.settles.add(func(settleCtx context.Context) { r.settleStep(settleCtx, e, env, began) })
	switch {
	case err != nil:
		return fmt.Errorf("injecting %s: %w", name, err)
	case !outcome.Expected && e.Step.Proof() == nil: // a proof that fails has disturbed nothing
		return fmt.Errorf("step %s ended %s, which the scenario does not expect: %s", name, outcome.State, outcome.Summary)
	}
	return nil
}

// hold stays in the faulty state until the group's time is over or ctx ends;
// only the former is recorded as held.
func (r *runner) hold(ctx context.Context, group group) {
	if group.hold <= 0 {
		return
	}
	for _, step := range group.steps {
		r.write(step.Name, journal.StepHolding, journal.Hold{Seconds: group.hold.Seconds()})
	}
	timer := time.NewTimer(group.hold)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return
	}
	for _, step := range group.steps {
		r.write(step.Name, journal.StepHeld, nil)
	}
}

// settleStep waits for what one step disturbed and writes how it ended.
func (r *runner) settleStep(ctx context.Context, e entry, env experiments.Env, began time.Time) {
	var settled journal.Settled
	err := contained("settling", func() (err error) {
		settled, err = e.Step.Experiment().Settle(ctx, env, e.Plan)
		return err
	})
	if err != nil && ctx.Err() == nil {
		// Nothing is known, so nothing is recorded that a judge could take for
		// an answer.
		r.write(e.Step.Name, journal.StepProgress, journal.Progress{Message: "can't tell whether it is whole again: " + firstLine(err)})
		return
	}
	if err != nil {
		settled = journal.Settled{Summary: "not whole again in time: " + firstLine(err)}
	}
	settled.Seconds = time.Since(began).Seconds()
	r.write(e.Step.Name, journal.StepSettled, settled)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
