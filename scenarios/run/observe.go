package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/scenarios"
	"gameday.dev/gameday/verify"
)

var errObserver = errors.New("the check could not begin to observe")

// watched is a check that observes.
type watched struct {
	declared scenarios.Check
	check    verify.Check
	started  chan struct{} // closed when it sees the world
	failed   chan error    // holds its error when it sees nothing
	ended    chan struct{} // closed when it has collected everything
}

// observe sets all checks to work. They outlive the run's own context, since
// the undo and the recovery are to be seen too. The function it returns ends
// them and waits for what they collect at the end.
func (r *runner) observe(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	for _, declared := range r.Scenario.Spec.Checks {
		one := watched{
			declared: declared, check: declared.Check(),
			started: make(chan struct{}), failed: make(chan error, 1), ended: make(chan struct{}),
		}
		r.watched = append(r.watched, one)
		recorder := r.journal.ForCheck(declared.Name)
		start := sync.OnceFunc(func() {
			recorder.Record(journal.ObserverStarted, nil)
			close(one.started)
		})
		go func() {
			defer close(one.ended)
			err := contained("observing", func() error { return one.check.Observe(ctx, r.checkEnv(recorder, start)) })
			if err == nil && ctx.Err() == nil {
				err = errors.New("it ended before the run did")
			}
			if err != nil {
				recorder.Record(journal.ObserverFailed, journal.Reason{Reason: err.Error()})
				one.failed <- err
			}
		}()
	}
	return sync.OnceFunc(func() {
		cancel()
		r.awaitObservers(context.WithoutCancel(ctx))
	})
}

// awaitObservers waits until every check has collected what only the end can
// give, but neither for one that hangs nor against the will of a person.
func (r *runner) awaitObservers(ctx context.Context) {
	patience, cancel := context.WithTimeout(ctx, finalGrace+tidyBudget)
	defer cancel()
	for _, one := range r.watched {
		select {
		case <-one.ended:
		case <-patience.Done():
		case <-r.Abandon:
		}
		select {
		case <-one.ended: // whatever else is true by now
			continue
		default:
		}
		r.journal.ForCheck(one.declared.Name).Record(journal.ObserverFailed, journal.Reason{Reason: "it did not come to its end and was left behind"})
	}
}

// baseline refuses to break anything unless every check holds now.
func (r *runner) baseline(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startBudget, errObserver)
	defer cancel()
	for _, one := range r.watched {
		select {
		case <-one.started:
		case err := <-one.failed:
			return refusal.New("see `gameday plan` for what it needs", "check %s sees nothing: %v", one.declared.Name, err)
		case <-ctx.Done():
			return refusal.New("see `gameday plan` for what it needs", "check %s: %v within %s", one.declared.Name, context.Cause(ctx), startBudget)
		}
	}
	baseline := journal.Baseline{Healthy: true, Findings: map[string]string{}}
	var broken []string
	record := r.journal.Record()
	for _, one := range r.watched {
		finding := one.check.Baseline(record)
		baseline.Findings[one.declared.Name] = finding.Verdict.String() + ": " + finding.Summary
		if finding.Verdict != verify.Pass {
			baseline.Healthy = false
			broken = append(broken, fmt.Sprintf("%s (%s): %s", one.declared.Name, finding.Verdict, finding.Summary))
		}
	}
	r.write("", journal.RunBaseline, baseline)
	if !baseline.Healthy {
		return refusal.New("make it whole first: a fault on top of a fault proves nothing",
			"baseline not healthy: %s", strings.Join(broken, "; "))
	}
	return nil
}

// openUntil judges the record so far and says until when more observation
// could change a finding; zero when nothing is open.
func (r *runner) openUntil() time.Time {
	var until time.Time
	record := r.journal.Record()
	for _, one := range r.watched {
		finding := judge(one.check, record)
		if finding.Open && finding.OpenUntil.After(until) {
			until = finding.OpenUntil
		}
	}
	return until
}
