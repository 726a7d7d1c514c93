package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/etcd/live"
	"gameday.dev/gameday/backup/etcd/scratch"
	"gameday.dev/gameday/backup/etcd/walk"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

var errTimeout = errors.New("the step's timeout has passed")

// Inject climbs the ladder and writes what it finds on each rung. It ends done
// when the rung asked for was reached, failed when not; what that means is
// Judge's to say. An error is a climb that was called off.
func (s *Restore) Inject(ctx context.Context, env experiments.Env, plan experiments.Plan) (journal.Outcome, error) {
	var own restorePlan
	if err := plan.GetData(&own); err != nil {
		return journal.Outcome{}, err
	}
	if err := own.Home.make(env.RunID); err != nil {
		return journal.Outcome{}, err
	}
	cluster, err := live.Connect(*env.Etcd)
	if err != nil {
		return journal.Outcome{}, err
	}
	defer cluster.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, timeoutOf(s.Timeout), errTimeout)
	defer cancel()
	c := &climb{spec: s, env: env, plan: own, cluster: cluster, file: own.File}
	defer c.stop()
	return c.up(ctx)
}

// Settle has nothing to wait for: a proof disturbs nothing.
func (s *Restore) Settle(context.Context, experiments.Env, experiments.Plan) (journal.Settled, error) {
	return journal.Settled{Recovered: true}, nil
}

// climb is one way up the ladder. Each rung leaves what the next ones need.
type climb struct {
	spec    *Restore
	env     experiments.Env
	plan    restorePlan
	cluster *live.Cluster

	file       string             // from rung snapshot on
	known      *scratch.KnownHash // of a file this climb has streamed itself
	inspection scratch.Inspection // from rung integrity on
	member     *scratch.Member    // from rung restore on
	failure    *scratch.Failure   // why there is none
	restored   *clientv3.Client   // from rung serve on
	walked     walk.Walked        // from rung decode on
}

// rung is one rung and how it is climbed.
type rung struct {
	name  string
	climb func(context.Context) backup.Rung
}

func (c *climb) rungs() []rung {
	all := []rung{
		{RungSnapshot, c.takeSnapshot},
		{RungIntegrity, c.checkIntegrity},
		{RungRestore, c.restore},
		{RungServe, c.serve},
		{RungDecode, c.decode},
		{RungMatch, c.match},
		{RungAPIServer, c.bootAPIServer},
	}
	return all[:slices.Index(rungs(), c.spec.level())+1]
}

// up climbs until the rung asked for, or one that does not hold.
func (c *climb) up(ctx context.Context) (journal.Outcome, error) {
	c.env.Record.Record(backup.EventRung, c.agreement(ctx))
	if c.file != "" {
		c.env.Record.Record(backup.EventDisaster, backup.Disaster{At: time.Now().UTC()})
	}
	reached, all := "", c.rungs()
	passed := true
	for i, rung := range all {
		c.progress("rung %d of %d, %s", i+1, len(all), rung.name)
		began := time.Now()
		found := rung.climb(ctx)
		found.Name = rung.name
		if found.Seconds == 0 {
			found.Seconds = time.Since(began).Seconds()
		}
		if ctx.Err() != nil && found.Verdict != verify.Pass {
			if cause := context.Cause(ctx); !errors.Is(cause, errTimeout) {
				return journal.Outcome{}, fmt.Errorf("climbing rung %s: %w", rung.name, cause)
			}
			found = backup.Unsure("cut short after %s by the step's timeout of %s", time.Since(began).Round(time.Second), timeoutOf(c.spec.Timeout))
			found.Name, found.Seconds = rung.name, time.Since(began).Seconds()
		}
		c.env.Record.Record(backup.EventRung, found)
		passed = passed && found.Verdict == verify.Pass
		if passed {
			reached = rung.name
		}
		if found.Verdict != verify.Pass && !c.goesOn(ctx, rung.name, found) {
			break
		}
	}
	return outcome(reached, c.spec.level()), nil
}

// goesOn says that a rung that does not hold still carries the next ones: a
// value encrypted by a KMS can be compared, a cluster whose history is too short
// can still be booted, and what was taken out of a file is named by comparing it.
func (c *climb) goesOn(ctx context.Context, rung string, found backup.Rung) bool {
	if ctx.Err() != nil {
		return false
	}
	if found.Verdict == verify.Fail {
		return rung == RungIntegrity && c.inspection.Torn != "" && len(found.Problems) == 1
	}
	return rung == RungDecode || rung == RungMatch
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

// stop ends what the climb has started.
func (c *climb) stop() {
	if c.restored != nil {
		c.restored.Close()
	}
	if c.member != nil {
		c.member.Stop()
	}
}

func (c *climb) progress(format string, args ...any) {
	c.env.Record.Record(journal.StepProgress, journal.Progress{Message: fmt.Sprintf(format, args...)})
}

func (c *climb) found(found backup.Found) { c.env.Record.Record(backup.EventFound, found) }
