package etcdsnapshots

import (
	"context"
	"fmt"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// lookEvery is how often the directory is looked at: directories of network
// file systems, where snapshots are mostly kept, tell of no change.
const lookEvery = 30 * time.Second

// Observe looks at the directory until ctx ends and writes what changes; then
// it looks once more and hashes the newest.
func (c *check) Observe(ctx context.Context, env verify.Env) error {
	directory, err := c.directory(env)
	if err != nil {
		return fmt.Errorf("observing backups: %w", err)
	}
	eyes := newEyes(directory)
	last := eyes.look()
	env.Record.Record(eventLook, last)
	env.Started()
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-again.C:
			last = writeChange(env.Record, last, eyes.look())
		}
	}
	// Something of the grace is left for writing down what was found.
	finishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), env.Grace*3/4)
	defer cancel()
	final := eyes.lookClosely(finishing)
	final.Final = true
	env.Record.Record(eventLook, final)
	return nil
}

func writeChange(record journal.Recorder, before, now lookEvent) lookEvent {
	if !now.same(before) {
		record.Record(eventLook, now)
	}
	return now
}
