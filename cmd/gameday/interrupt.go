package main

import (
	"context"
	"fmt"
	"io"
	"syscall"

	"gameday.dev/gameday/scenarios/run"
)

// interruptible ends the context at the first signal and, at the second,
// closes the channel it returns and prints the command that finishes the undo.
// A third one ends the process. It acts before it speaks: a terminal that is
// stopped, or a pipe that nobody reads, must not hold up the undo.
func (p process) interruptible(ctx context.Context, say io.Writer, recoverWith string) (context.Context, <-chan struct{}, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals, stop := p.interrupts()
	abandon, released, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for interrupted := false; ; {
			select {
			case <-released:
				return
			case signal := <-signals:
				switch {
				case !interrupted:
					interrupted = true
					cancel(run.ErrInterrupted)
					fmt.Fprintln(say, "interrupted: undoing; interrupt again to give up")
				case signal == syscall.SIGHUP: // a terminal that closes may say so twice; nobody gives up by it
				default:
					stop()
					close(abandon)
					fmt.Fprintln(say, "giving up undoing; finish it with:\n  "+recoverWith)
					return
				}
			}
		}
	}()
	return ctx, abandon, func() {
		stop()
		close(released)
		<-done
		cancel(nil)
	}
}
