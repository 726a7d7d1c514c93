package velero

import (
	"context"
	"net/http"
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify"
)

// Inject climbs the ladder and writes what it finds on each rung. It ends done
// when the last rung was reached, failed when not; what that means is Judge's to
// say. An error is a climb that was called off.
func (s *Restore) Inject(ctx context.Context, env experiments.Env, plan experiments.Plan) (journal.Outcome, error) {
	var own restorePlan
	if err := plan.GetData(&own); err != nil {
		return journal.Outcome{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, orDefault(s.Timeout, defaultTimeout), backup.ErrTimeout)
	defer cancel()
	c := &climb{Teller: backup.Teller{Record: env.Record}, spec: s, env: env, plan: own, velero: own.client(env)}
	defer c.stop()
	return c.ladder().Climb(ctx)
}

// Settle has nothing to wait for: a proof disturbs nothing.
func (s *Restore) Settle(context.Context, experiments.Env, experiments.Plan) (journal.Settled, error) {
	return journal.Settled{Recovered: true}, nil
}

// climb is one way up the ladder. Each rung leaves what the next ones need.
type climb struct {
	backup.Teller
	spec   *Restore
	env    experiments.Env
	plan   restorePlan
	velero velero.Client
	asked  int // DownloadRequests, to name them

	backup    *velerov1.Backup // from rung backup on
	transport *http.Transport
	contents  *contents.Contents
	volumes   []volumeBackup
	files     []velerov1.PodVolumeBackup
	restored  *velerov1.Restore // from rung restore on
	// unmodified says that something was restored as it was, and so may run.
	unmodified bool
	compared   *compared // from rung objects on
	unlisted   []string  // resources that it leaves out
}

func (c *climb) ladder() backup.Ladder {
	all := []backup.Way{
		{Name: rungBackup, Climb: c.readBackup},
		{Name: rungRestore, Climb: c.restore},
		{Name: rungReady, Climb: c.ready},
		{Name: rungProbe, Climb: c.probe},
		{Name: rungObjects, Climb: c.compareObjects},
		{Name: rungVolumes, Climb: c.compareVolumes},
		{Name: rungControl, Climb: c.control},
	}
	required := c.spec.required()
	return backup.Ladder{
		Teller: c.Teller, Timeout: orDefault(c.spec.Timeout, defaultTimeout), GoesOn: c.goesOn,
		Ways:    slices.DeleteFunc(all, func(w backup.Way) bool { return !slices.Contains(required, w.Name) }),
		Overdue: overdue,
	}
}

// overdue says that a rung has failed which the timeout cuts short: a restore that has
// not ended by then is no restore, and what was seen by then to be damaged, lost or not
// ready is so whatever was left to see. A probe could have passed at its next try.
func overdue(found backup.Rung) bool {
	return found.Name == rungRestore || found.Verdict == verify.Fail && found.Name != rungProbe
}

// goesOn says that a rung that does not hold still carries the next ones: what
// was restored is worth a look even if Velero, or the application, says that it is
// not whole. A copy that is not held back is removed at once.
func (c *climb) goesOn(found backup.Rung) bool {
	if found.Name == rungRestore {
		return c.restored != nil && c.contents != nil && !c.unmodified
	}
	return found.Name == rungReady || found.Name == rungProbe || found.Name == rungObjects
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
