package veleroschedules

import (
	"context"
	"time"

	"gameday.dev/gameday/verify"
)

const (
	// lookEvery is how often Velero's resources are listed while the run goes on.
	// Velero itself looks at its Schedules once a minute.
	lookEvery = time.Minute
	// firstPatience is how long an API server that does not answer is asked
	// before the run begins, and patience is for the looks in between.
	firstPatience = 10 * time.Second
	patience      = 30 * time.Second
)

// Observe looks at Velero's resources until ctx ends and writes what changes;
// then it looks once more.
func (c *check) Observe(ctx context.Context, env verify.Env) error {
	eyes := c.eyes(env)
	look := func(ctx context.Context, patience time.Duration) lookEvent {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return eyes.lookPatiently(ctx)
	}
	last := look(ctx, firstPatience)
	env.Record.Record(eventLook, last)
	env.Started()
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-again.C:
			now := look(ctx, patience)
			// One that the end of the run cut short has seen nothing; the last one will.
			if ctx.Err() == nil && !now.same(last) {
				env.Record.Record(eventLook, now)
				last = now
			}
		}
	}
	// Something of the grace is left for writing down what was found.
	final := look(context.WithoutCancel(ctx), env.Grace*3/4)
	final.Final = true
	env.Record.Record(eventLook, final)
	return nil
}
