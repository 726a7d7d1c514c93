package velero

import (
	"context"
	"time"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/kube"
)

// lookAgain is how often readiness is looked at: several kinds are waited for at
// once, and a restore takes many times that.
const lookAgain = time.Second

// ready is the rung of a restore that is started: every workload is as ready as it
// was declared, and every claim that one mounts is bound.
func (c *climb) ready(ctx context.Context) backup.Rung {
	began := time.Now()
	var last *readiness
	for {
		now, err := c.readiness(ctx)
		switch {
		case err == nil && len(now.waiting) == 0:
			found := backup.Held("%s", now.summary())
			found.RecoverySeconds = time.Since(began).Seconds()
			return found
		case err == nil:
			last = &now
		case ctx.Err() == nil && !kube.Unreachable(err):
			return backup.Unsure("%v", err)
		}
		if kube.Pause(ctx, lookAgain) == nil {
			continue
		}
		if last == nil {
			return backup.Unsure("the restored workloads were never seen: %v", err)
		}
		return naming(backup.Broken("%s after %s", last.summary(), time.Since(began).Round(time.Second)), last.waiting)
	}
}
