package availability

import (
	"slices"
	"time"
	"unique"
)

// publish writes the count if it, the promise or a pod's part in it changed.
func (t *tally) publish(at time.Time, changes ...podChange) {
	target := t.target(at)
	if first := t.promised.At.IsZero(); first || !sameTarget(t.promised, target) {
		t.promised = target
		t.record.Record(eventTarget, target)
	}
	now := countEvent{At: at, Available: t.available, Desired: target.Desired, Floor: target.Floor, Pods: changes}
	last := t.published
	if !last.At.IsZero() && len(changes) == 0 &&
		last.Available == now.Available && last.Desired == now.Desired && last.Floor == now.Floor {
		return
	}
	t.published = now
	t.record.Record(eventCount, now)
	if now.Available < now.Floor {
		if t.nextBelow.IsZero() {
			t.nextBelow = at.Add(belowEvery)
		}
	} else {
		t.nextBelow = time.Time{}
	}
}

// republish is publish for what may come before the first count.
func (t *tally) republish(at time.Time) {
	if t.live {
		t.publish(at)
	}
}

// target is what the workload wants and was promised, as of now.
func (t *tally) target(at time.Time) targetEvent {
	guarding := budgetsOf(t.workload, t.budgets)
	floor, source := t.check.floorOf(t.workload, guarding)
	target := targetEvent{
		At: at, Kind: t.check.spec.Workload.Kind, Name: t.check.spec.Workload.String(), UID: t.workload.uid,
		Desired: t.workload.desired, Floor: floor, Source: source,
		MinReadySeconds: t.workload.minReady, Gone: t.gone,
	}
	for _, budget := range guarding {
		target.PDBs = append(target.PDBs, budget.name)
	}
	return target
}

func sameTarget(a, b targetEvent) bool {
	return a.UID == b.UID && a.Desired == b.Desired && a.Floor == b.Floor && a.Source == b.Source &&
		a.MinReadySeconds == b.MinReadySeconds && a.Gone == b.Gone && slices.Equal(a.PDBs, b.PDBs)
}

// setWorkload takes in the workload: scaled, changed, or made anew.
func (t *tally) setWorkload(workload slimWorkload, at time.Time) {
	if workload.name != t.check.spec.Workload.Name {
		return
	}
	if workload.selector != t.workload.selector {
		// The pods watch goes on with the old selector, so the count is not this
		// workload's any more. That can't be mended in the middle of a run without
		// guessing what was missed; from here on the count is unknown.
		t.blind(at, "the workload was made anew with another selector")
		return
	}
	if workload.uid != t.workload.uid && t.check.spec.Workload.Kind != kindDeployment {
		clear(t.owners)
		t.owners[unique.Make(workload.uid)] = struct{}{}
	}
	before := t.workload
	t.workload, t.gone = workload, false
	if before.uid != workload.uid || before.minReady != workload.minReady {
		t.recount(at)
	} else {
		t.republish(at)
	}
}

// removeWorkload takes in that the workload was deleted. What it wanted last
// stays the measure: a deleted workload is an outage, not the end of a promise.
func (t *tally) removeWorkload(workload slimWorkload, at time.Time) {
	if workload.uid == t.workload.uid {
		t.gone = true
		t.republish(at)
	}
}

// blind says that the count is unknown from now on.
func (t *tally) blind(at time.Time, why string) {
	if !t.blinded {
		t.blinded = true
		t.record.Record(eventGap, gapEvent{From: at, Watch: watchPods, Why: why, Lost: true})
	}
}

// slimOwner is a ReplicaSet and who controls it.
type slimOwner struct{ uid, owner unique.Handle[string] }

func (t *tally) setReplicaSet(set slimOwner, at time.Time) {
	_, known := t.owners[set.uid]
	ours := set.owner.Value() == t.workload.uid
	switch {
	case ours && !known:
		t.owners[set.uid] = struct{}{}
	case !ours && known: // orphaned
		delete(t.owners, set.uid)
	default:
		return
	}
	t.recount(at)
}

// belowEvery is how often the record hears that the floor is still broken.
const belowEvery = time.Second

// tick does what is due by time alone.
func (t *tally) tick(at time.Time) {
	for uid, ripe := range t.ripening {
		if !ripe.After(at) {
			before := t.pods[uid]
			after := before
			after.availableAt = at.UnixNano()
			delete(t.ripening, uid)
			t.pods[uid] = after
			t.count(before, after)
			t.tell(before, after, nil, at)
		}
	}
	if !t.nextBelow.IsZero() && !t.nextBelow.After(at) {
		t.nextBelow = at.Add(belowEvery)
		t.record.Record(eventBelow, belowEvent{At: at, Available: t.available})
	}
	t.endpointsDue(at)
}

// due is when tick is wanted next; zero when nothing waits for a time.
func (t *tally) due() time.Time {
	due := t.nextBelow
	sooner := func(at time.Time) {
		if due.IsZero() || at.Before(due) {
			due = at
		}
	}
	for _, ripe := range t.ripening {
		sooner(ripe)
	}
	for _, service := range t.services {
		if service.waiting() {
			sooner(service.apart.Add(apartFor))
		}
	}
	return due
}
