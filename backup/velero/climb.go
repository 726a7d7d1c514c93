package velero

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify"
)

var errTimeout = errors.New("the step's timeout has passed")

// Inject climbs the ladder and writes what it finds on each rung. It ends done
// when the last rung was reached, failed when not; what that means is Judge's to
// say. An error is a climb that was called off.
func (s *Restore) Inject(ctx context.Context, env experiments.Env, plan experiments.Plan) (journal.Outcome, error) {
	var own restorePlan
	if err := plan.GetData(&own); err != nil {
		return journal.Outcome{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, orDefault(s.Timeout, defaultTimeout), errTimeout)
	defer cancel()
	c := &climb{spec: s, env: env, plan: own, velero: own.client(env)}
	defer c.stop()
	return c.up(ctx)
}

// Settle has nothing to wait for: a proof disturbs nothing.
func (s *Restore) Settle(context.Context, experiments.Env, experiments.Plan) (journal.Settled, error) {
	return journal.Settled{Recovered: true}, nil
}

// climb is one way up the ladder. Each rung leaves what the next ones need.
type climb struct {
	spec   *Restore
	env    experiments.Env
	plan   restorePlan
	velero velero.Client
	asked  int // DownloadRequests, to name them

	backup    *velerov1.Backup // from rung backup on
	transport *http.Transport
	contents  *contents.Contents
	volumes   []volumeBackup
	restored  *velerov1.Restore // from rung restore on
	compared  *compared         // from rung objects on
}

// rung is one rung and how it is climbed.
type rung struct {
	name  string
	climb func(context.Context) backup.Rung
}

func (c *climb) rungs() []rung {
	all := []rung{
		{RungBackup, c.readBackup},
		{RungRestore, c.restore},
		{RungReady, c.ready},
		{RungProbe, c.probe},
		{RungObjects, c.compareObjects},
		{RungVolumes, c.compareVolumes},
		{RungControl, c.control},
	}
	required := c.spec.required()
	return slices.DeleteFunc(all, func(r rung) bool { return !slices.Contains(required, r.name) })
}

// up climbs until the last rung, or one that leaves the next nothing to stand on.
func (c *climb) up(ctx context.Context) (journal.Outcome, error) {
	reached, passed := "", true
	all := c.rungs()
	for i, rung := range all {
		c.progress("rung %d of %d, %s", i+1, len(all), rung.name)
		began := time.Now()
		found := rung.climb(ctx)
		found.Name = rung.name
		found.Seconds = time.Since(began).Seconds()
		if ctx.Err() != nil && found.Verdict != verify.Pass {
			if cause := context.Cause(ctx); !errors.Is(cause, errTimeout) {
				return journal.Outcome{}, fmt.Errorf("climbing rung %s: %w", rung.name, cause)
			}
			found = c.cutShort(rung.name, found)
		}
		c.env.Record.Record(backup.EventRung, found)
		passed = passed && found.Verdict == verify.Pass
		if passed {
			reached = rung.name
		}
		if !c.goesOn(ctx, rung.name, found) {
			break
		}
	}
	return outcome(reached, all[len(all)-1].name), nil
}

// cutShort is a rung that the step's timeout has ended. A restore that has not
// ended by then is no restore.
func (c *climb) cutShort(name string, found backup.Rung) backup.Rung {
	limit := orDefault(c.spec.Timeout, defaultTimeout)
	short := backup.Unsure("cut short after %.0fs by the step's timeout of %s: %s", found.Seconds, limit, found.Summary)
	short.Name, short.Seconds, short.Problems, short.Hints = name, found.Seconds, found.Problems, found.Hints
	if name == RungRestore || name == RungReady {
		short.Verdict = verify.Fail
	}
	return short
}

// goesOn says that a rung that does not hold still carries the next ones: what
// was restored is worth a look even if Velero, or the application, says that it is
// not whole.
func (c *climb) goesOn(ctx context.Context, rung string, found backup.Rung) bool {
	switch {
	case ctx.Err() != nil:
		return false
	case found.Verdict == verify.Pass:
		return true
	case rung == RungRestore:
		return c.restored != nil && c.contents != nil
	default:
		return rung == RungReady || rung == RungProbe || rung == RungObjects
	}
}

func outcome(reached, required string) journal.Outcome {
	if reached == required {
		return journal.Outcome{State: journal.Done, Expected: true, Summary: "reached " + required}
	}
	if reached == "" {
		reached = "no rung"
	}
	return journal.Outcome{State: journal.Failed, Summary: fmt.Sprintf("reached %s, %s was to be reached", reached, required)}
}

// stop lets go of what the climb holds on this machine.
func (c *climb) stop() {
	if c.contents != nil {
		c.contents.Close()
	}
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
}

func (c *climb) progress(format string, args ...any) {
	c.env.Record.Record(journal.StepProgress, journal.Progress{Message: fmt.Sprintf(format, args...)})
}

func (c *climb) found(found backup.Found) { c.env.Record.Record(backup.EventFound, found) }
