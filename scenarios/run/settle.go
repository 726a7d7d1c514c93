package run

import (
	"context"
	"sync"
	"time"

	"gameday.dev/gameday/internal/journal"
)

// settles are the waits for recovery that injected steps have left running.
// They outlive the run's own context, since recovery is watched through the
// undo as well, and end with stop.
type settles struct {
	ctx    context.Context //nolint:containedctx // of all waits, as in an errgroup
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func newSettles(ctx context.Context) *settles {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	return &settles{ctx: ctx, cancel: cancel}
}

func (s *settles) add(wait func(context.Context)) {
	s.done.Go(func() { wait(s.ctx) })
}

// stop ends the waits that are not over.
func (s *settles) stop() {
	s.cancel()
	s.done.Wait()
}

// over returns a channel that is closed when no wait is left.
func (s *settles) over() <-chan struct{} {
	over := make(chan struct{})
	go func() {
		s.done.Wait()
		close(over)
	}()
	return over
}

// settle waits until every disturbed workload is whole and no finding is open,
// at the most until the run's own timeout or the findings' deadlines.
func (r *runner) settle(ctx, runCtx context.Context) {
	r.write("", journal.RunSettling, nil)
	if deadline, ok := runCtx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	budget := time.NewTimer(settleBudget)
	defer budget.Stop()
	select {
	case <-r.settles.over():
	case <-budget.C:
	case <-ctx.Done():
		return
	}
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		until := r.openUntil()
		if until.IsZero() || time.Now().After(until) {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
