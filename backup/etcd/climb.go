package etcd

import (
	"context"
	"slices"

	clientv3 "go.etcd.io/etcd/client/v3"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/etcd/live"
	"gameday.dev/gameday/backup/etcd/scratch"
	"gameday.dev/gameday/backup/etcd/walk"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

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
	ctx, cancel := context.WithTimeoutCause(ctx, timeoutOf(s.Timeout), backup.ErrTimeout)
	defer cancel()
	c := &climb{Teller: backup.Teller{Record: env.Record}, spec: s, env: env, plan: own, cluster: cluster, file: own.File}
	defer c.stop()
	c.Rung(c.agreement(ctx))
	return c.ladder().Climb(ctx)
}

// Settle has nothing to wait for: a proof disturbs nothing.
func (s *Restore) Settle(context.Context, experiments.Env, experiments.Plan) (journal.Settled, error) {
	return journal.Settled{Recovered: true}, nil
}

// climb is one way up the ladder. Each rung leaves what the next ones need.
type climb struct {
	backup.Teller
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

func (c *climb) ladder() backup.Ladder {
	all := []backup.Way{
		{Name: rungSnapshot, Climb: c.takeSnapshot},
		{Name: rungIntegrity, Climb: c.checkIntegrity},
		{Name: rungRestore, Climb: c.restore},
		{Name: rungServe, Climb: c.serve},
		{Name: rungDecode, Climb: c.decode},
		{Name: rungMatch, Climb: c.match},
		{Name: rungAPIServer, Climb: c.bootAPIServer},
	}
	return backup.Ladder{
		Teller: c.Teller, Timeout: timeoutOf(c.spec.Timeout), GoesOn: c.goesOn,
		Ways: all[:slices.Index(rungs(), c.spec.level())+1],
	}
}

// goesOn says that a rung that does not hold still carries the next ones: a
// value encrypted by a KMS can be compared, a cluster whose history is too short
// can still be booted, and what was taken out of a file is named by comparing it.
func (c *climb) goesOn(found backup.Rung) bool {
	if found.Verdict == verify.Fail {
		return found.Name == rungIntegrity && c.inspection.Torn != "" && len(found.Problems) == 1
	}
	return found.Name == rungDecode || found.Name == rungMatch
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
