package velero

import (
	"context"
	"time"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/velero/probe"
)

// probe is the rung of the application's own check of its data.
func (c *climb) probe(ctx context.Context) backup.Rung {
	began := time.Now()
	passed, err := c.spec.Probe.Run(ctx, probe.Options{Client: c.env.Client, Exec: c.env.Exec, Namespace: c.plan.Into})
	if err != nil {
		return backup.Broken("the probe did not pass within %s: %v", time.Since(began).Round(time.Second), err)
	}
	return backup.Held("the probe passed %s", passed)
}
