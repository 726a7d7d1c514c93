package velero

import (
	"context"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/verify/objects"
)

// eventCompared is what the comparison of objects found, for people and tools; the
// rung is what is judged.
const eventCompared = "velero.compared" // payload objects.Result

// kept is how many differences of each label are kept in the record.
const kept = 50

// compared is a comparison that can be made again.
type compared struct {
	comparison objects.Comparison
	result     objects.Result
}

// compareObjects is the rung that looks at every object on three sides.
func (c *climb) compareObjects(ctx context.Context) backup.Rung {
	comparison, err := c.comparison(ctx)
	if err != nil {
		return blame(err)
	}
	result, err := comparison.Run(ctx)
	c.compared = &compared{comparison, result}
	c.env.Record.Record(eventCompared, result)
	c.Found(backup.Found{Counts: wantedCounts(result)})
	found := weigh(result)
	if err != nil && result.LossCount == 0 { // what was found until then is lost whatever the rest is like
		found = backup.Unsure("%v", err)
	}
	tellUnlisted(&found, c.unlisted)
	c.tellDifferences(ctx, &found)
	if err != nil {
		return found
	}
	return c.withCanary(ctx, found)
}

// comparison sets the three sides up.
func (c *climb) comparison(ctx context.Context) (objects.Comparison, error) {
	wanted, err := c.contents.Resources(ctx)
	if err != nil {
		return objects.Comparison{}, err
	}
	served, err := discover(c.env.Client.Discovery())
	if err != nil {
		return objects.Comparison{}, err
	}
	if err := served.agree(wanted); err != nil {
		return objects.Comparison{}, err
	}
	snapshots, err := snapshotNames(ctx, c.contents, string(c.restored.UID))
	if err != nil {
		return objects.Comparison{}, err
	}
	scope, err := newScope(c.env.Client.Discovery(), c.backup.Spec, lastLook(c.backup))
	if err != nil {
		return objects.Comparison{}, err
	}
	rules := rulesOf(c.env.RunID, c.restored, c.quiescing())
	if c.spec.Start && c.spec.notRestored(autoscalers()) == "" {
		scaled, err := autoscaled(ctx, c.contents)
		if err != nil {
			return objects.Comparison{}, err
		}
		rules = append(rules, autoscaledRule(scaled))
	}
	served.mark(wanted)
	of := served.compared(wanted)
	if c.unlisted, err = c.mayNotList(ctx, of); err != nil {
		return objects.Comparison{}, err
	}
	wanted, of = without(wanted, c.unlisted), without(of, c.unlisted)
	tell := backup.NowAndThen(func(n int64) { c.Progress("%d objects compared", n) })
	return objects.Comparison{
		Wanted:      known{c.contents, wanted},
		Found:       side{objects.Listed{Client: c.env.Dynamic, Namespaces: []string{c.plan.Into}, Of: namespaced(of)}, c.plan.Into},
		Live:        side{objects.Listed{Client: c.env.Dynamic, Namespaces: []string{c.plan.Source}, Of: of}, c.plan.Source},
		Namespaces:  map[string]string{c.plan.Source: c.plan.Into},
		Names:       ofSnapshots(snapshots),
		Rules:       rules,
		TakenAt:     takenAt(c.backup),
		NotRestored: c.spec.notRestored,
		WhyMissing:  whyMissing,
		NotBackedUp: scope.leftOut,
		Keep:        kept,
		Progress:    tell,
	}, nil
}

// takenAt is when the backup began by the clock of the API server. A backup that was
// made here was created just before it began; one that was synchronized from the
// object store was created later, and there Velero's own clock has to do.
func takenAt(b *velerov1.Backup) time.Time {
	at := b.CreationTimestamp.Time
	if start := b.Status.StartTimestamp; start != nil && start.Time.Before(at) {
		at = start.Time
	}
	return at
}

// lastLook is when a backup had ended: until then Velero leaves out what it finds in
// deletion.
func lastLook(b *velerov1.Backup) time.Time {
	if end := b.Status.CompletionTimestamp; end != nil {
		return end.Time
	}
	return takenAt(b)
}
