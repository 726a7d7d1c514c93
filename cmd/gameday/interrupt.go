package main

import (
	"context"
	"fmt"
	"io"

	"gameday.dev/gameday/scenarios/run"
)

// interruptible ends the context at the first signal and, at the second,
// closes the channel it returns and prints the command that finishes the undo.
func (p process) interruptible(ctx context.Context, say io.Writer, recoverWith string) (context.Context, <-chan struct{}, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	abandon, released := make(chan struct{}), make(chan struct{})
	go func() {
		select {
		case <-p.signals:
		case <-released:
			return
		}
		fmt.Fprintln(say, "interrupted: undoing; interrupt again to give up")
		cancel(run.ErrInterrupted)
		select {
		case <-p.signals:
		case <-released:
			return
		}
		fmt.Fprintln(say, "giving up undoing; finish it with:\n  "+recoverWith)
		close(abandon)
	}()
	return ctx, abandon, func() {
		close(released)
		cancel(nil)
	}
}
