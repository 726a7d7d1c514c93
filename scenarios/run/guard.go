package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

// heartbeat moves the record's clock on, so that a judge can tell a quiet
// stretch from a runner that was dead or suspended.
const heartbeat = time.Second

// stop is why a run ends early. Its cause is the machine-readable word that
// the record keeps.
type stop struct {
	cause string
	err   error
}

func (s *stop) Error() string { return s.err.Error() }
func (s *stop) Unwrap() error { return s.err }

// keepLock renews the lock from now on, while the run is undone and settles
// too, and calls lost when it is lost. The function it returns ends that, and
// says whether the lock was lost.
func keepLock(ctx context.Context, lock *lock, lost func(error)) func() error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	kept := make(chan error, 1)
	go func() {
		err := lock.keep(ctx)
		if err != nil {
			lost(err)
		}
		kept <- err
	}()
	return sync.OnceValue(func() error {
		cancel()
		return <-kept
	})
}

// guard watches over the run: it ends the run when the record or a promise
// with abortOnBreach is lost, and writes heartbeats. The function it returns
// ends the watch.
func (r *runner) guard(ctx context.Context, abort context.CancelCauseFunc) func() {
	// The heartbeat goes on while the run is undone and settles.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var done sync.WaitGroup
	done.Go(func() {
		select {
		case <-ctx.Done():
		case <-r.journal.Failed():
			abort(&stop{"record", fmt.Errorf("the record can't be kept: %w", r.journal.Err())})
		}
	})
	done.Go(func() {
		ticker := time.NewTicker(heartbeat)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				r.write("", journal.RunHeartbeat, nil)
			}
		}
	})
	done.Go(func() { r.guardBreaches(ctx, abort) })
	return func() {
		cancel()
		done.Wait()
	}
}

// guardBreaches judges the checks with abortOnBreach whenever they have seen
// something new, and at every heartbeat, since time alone can break a promise.
func (r *runner) guardBreaches(ctx context.Context, abort context.CancelCauseFunc) {
	guarded := map[string]watched{}
	for _, one := range r.watched {
		if one.declared.AbortOnBreach {
			guarded[one.declared.Name] = one
		}
	}
	names := slices.Collect(maps.Keys(guarded))
	news := r.news(ctx, func(event journal.Event) bool {
		return event.Kind == journal.RunHeartbeat || slices.Contains(names, event.Check)
	})
	for len(guarded) > 0 {
		select {
		case <-ctx.Done():
			return
		case <-news:
		}
		began := time.Now()
		for name, one := range guarded {
			if finding := judge(one.check, r.journal.Record()); finding.Breached {
				abort(&stop{"breach", fmt.Errorf("check %s: %s", name, finding.Summary)})
				delete(guarded, name)
			}
		}
		// Judging a long record at each event must not take more than a fifth
		// of a processor; what comes meanwhile is judged together.
		if kube.Pause(ctx, 4*time.Since(began)) != nil {
			return
		}
	}
}

// news says that the journal has got events of interest, once for all that
// nobody has looked at yet.
func (r *runner) news(ctx context.Context, interesting func(journal.Event) bool) <-chan struct{} {
	events, news := make(chan journal.Event, 256), make(chan struct{}, 1)
	r.journal.Subscribe(events)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case event := <-events:
				if !interesting(event) {
					continue
				}
				select {
				case news <- struct{}{}:
				default:
				}
			}
		}
	}()
	return news
}

// reasonOf turns a cause of cancellation into what the record keeps.
func reasonOf(cause error) journal.Reason {
	var s *stop
	switch {
	case errors.As(cause, &s):
		return journal.Reason{Reason: s.Error(), Cause: s.cause}
	case errors.Is(cause, ErrInterrupted):
		return journal.Reason{Reason: "interrupted", Cause: "interrupted"}
	case errors.Is(cause, errTimeout):
		return journal.Reason{Reason: cause.Error(), Cause: "timeout"}
	default:
		return journal.Reason{Reason: cause.Error(), Cause: "failed"}
	}
}
