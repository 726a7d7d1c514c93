package availability

import (
	"time"
	"unique"

	"gameday.dev/gameday/internal/journal"
)

// tally counts the available replicas. It lives on one goroutine: feeds post
// what they see to it, and it writes an event for each change.
type tally struct {
	check  *check
	record journal.Recorder

	workload slimWorkload
	gone     bool // the workload was deleted
	blinded  bool // the pods watch is of another workload than this
	budgets  map[string]slimBudget
	// owners are the controllers whose pods count: the workload itself, or the
	// ReplicaSets of the Deployment. Pods of another Deployment whose labels
	// overlap have another owner.
	owners map[unique.Handle[string]]struct{}
	pods   map[string]podState // by UID
	// ripening pods are Ready, but not yet for minReadySeconds.
	ripening map[string]time.Time
	// relapses is when the API server told of relapses, by UID.
	relapses map[string]time.Time
	// lost holds what is known of why each missing pod is missing.
	lost map[string]podChange

	ready, available int
	// live is set once every feed has given its first list: before that a count
	// would only show the order in which the lists came.
	live      bool
	published countEvent
	promised  targetEvent
	nextBelow time.Time

	nodes    map[string]slimNode
	services map[string]*service
}

// podState is a pod and how it was counted.
type podState struct {
	slimPod
	// readyAt is since when it was seen Ready, availableAt since when it counts as
	// available; nanoseconds, zero when not.
	readyAt, availableAt int64
	// ours is set when it is one of the workload's.
	ours bool
}

func (p podState) ready() bool     { return p.ours && p.readyAt != 0 }
func (p podState) available() bool { return p.availableAt != 0 }

func newTally(c *check, record journal.Recorder, workload slimWorkload) *tally {
	return &tally{
		check: c, record: record, workload: workload,
		budgets:  map[string]slimBudget{},
		owners:   map[unique.Handle[string]]struct{}{},
		pods:     map[string]podState{},
		ripening: map[string]time.Time{},
		relapses: map[string]time.Time{},
		lost:     map[string]podChange{},
		nodes:    map[string]slimNode{},
		services: map[string]*service{},
	}
}

// begin publishes the first count; from here on each change is an event.
func (t *tally) begin(at time.Time) {
	t.live = true
	t.recount(at)
	t.nodesAtFirst(at)
	t.endpointsChanged(at)
}

// counts says whether the pod is one of the workload's.
func (t *tally) counts(pod slimPod) bool {
	_, ok := t.owners[pod.owner]
	return ok
}

// assess works out since when a pod is available, given how it was before.
func (t *tally) assess(pod slimPod, before podState, at time.Time) podState {
	state := podState{slimPod: pod, ours: t.counts(pod)}
	delete(t.ripening, pod.uid)
	if !pod.ready || pod.deleting {
		return state
	}
	switch {
	case before.readyAt != 0:
		state.readyAt = before.readyAt
	case before.uid != "":
		state.readyAt = at.UnixNano()
	default: // Ready before it was first seen; the API's own time is the best there is.
		state.readyAt = min(at.UnixNano(), time.Unix(pod.readySince, 0).UnixNano())
	}
	ripe := time.Unix(0, state.readyAt).Add(time.Duration(t.workload.minReady) * time.Second)
	switch {
	case !state.ours: // its ReplicaSet may be yet to come
	case before.available():
		state.availableAt = before.availableAt
	case ripe.After(at):
		t.ripening[pod.uid] = ripe
	default:
		state.availableAt = at.UnixNano()
	}
	return state
}

// setPod takes in a pod as it is now.
func (t *tally) setPod(seen seenPod, at time.Time) {
	before := t.pods[seen.uid]
	basis := before
	if t.relapsed(before, seen.slimPod) {
		t.relapse(before, at)
		basis.readyAt, basis.availableAt = 0, 0
	}
	after := t.assess(seen.slimPod, basis, at)
	t.pods[seen.uid] = after
	t.count(before, after)
	why := seen.why
	if why != nil && why.restarted && seen.restarts <= before.restarts {
		fresh := *why
		fresh.exit = nil
		why = &fresh
	}
	t.tell(before, after, why, at)
}

// removePod takes in that a pod is no more. A pod deleted without grace is
// never seen terminating: this is then its loss.
func (t *tally) removePod(seen seenPod, at time.Time) {
	before, ok := t.pods[seen.uid]
	if !ok {
		return
	}
	delete(t.pods, seen.uid)
	delete(t.ripening, seen.uid)
	delete(t.relapses, seen.uid)
	t.count(before, podState{})
	if before.available() {
		change := before.change(false, seen.why)
		change.Gone, change.Terminating = true, false
		t.publish(at, change)
	}
	delete(t.lost, seen.uid)
}

// count moves the counters from one state of a pod to the next.
func (t *tally) count(before, after podState) {
	t.ready += one(after.ready()) - one(before.ready())
	t.available += one(after.available()) - one(before.available())
}

// tell writes what the change of one pod means, if anything.
func (t *tally) tell(before, after podState, why *evidence, at time.Time) {
	if before.ready() != after.ready() {
		t.endpointsChanged(at)
	}
	if !t.live {
		return
	}
	isAvailable := after.available()
	change := after.change(isAvailable, why)
	switch {
	case before.available() != isAvailable:
		if isAvailable {
			delete(t.lost, after.uid)
		} else {
			t.lost[after.uid] = change
		}
		t.publish(at, change)
	case !isAvailable:
		// Why a pod is missing often arrives after the loss itself. Its Ready
		// condition's reason alone is worth no further line.
		if known, ok := t.lost[after.uid]; ok && tellsMore(known, change) {
			t.lost[after.uid] = change
			t.record.Record(eventPod, podEvent{At: at, Pod: change})
		}
	}
}

// tellsMore says whether a later view of a lost pod holds new evidence.
func tellsMore(known, now podChange) bool {
	return now.Terminating != known.Terminating || now.Phase != known.Phase ||
		now.Disruption != known.Disruption || known.Exit == nil && now.Exit != nil
}

// replacePods takes in a whole list. After a gap it says what of the gap is
// proven all the same, and writes the gap before the count that follows it.
func (t *tally) replacePods(items []seenPod, at time.Time, gap *gapEvent) {
	previous := t.pods
	t.pods = make(map[string]podState, len(items))
	t.ready, t.available = 0, 0
	clear(t.ripening)
	var changes []podChange
	for _, seen := range items {
		before := previous[seen.uid]
		if gap != nil && before.uid != "" && before.readySince != seen.readySince {
			before.readyAt, before.availableAt = 0, 0 // it was not Ready in between
		}
		after := t.assess(seen.slimPod, before, at)
		t.pods[seen.uid] = after
		t.count(podState{}, after)
		was := previous[seen.uid].available()
		if is := after.available(); is != was {
			changes = append(changes, after.change(is, seen.why))
		}
		if gap != nil && steady(previous[seen.uid], after) {
			gap.Steady++
		}
		delete(previous, seen.uid)
	}
	for _, missing := range previous {
		if missing.available() {
			change := missing.change(false, nil)
			change.Gone = true
			changes = append(changes, change)
		}
	}
	if gap != nil {
		t.record.Record(eventGap, *gap)
	}
	t.endpointsChanged(at)
	if t.live {
		t.publish(at, changes...)
	}
}

// steady says whether a pod was certainly available throughout a gap: it was
// before, and the object is the very same version after. Nothing less will do.
// The Ready condition's transition time in particular proves nothing: when a node
// goes and comes back, its kubelet overwrites what the node controller had set
// with its own view, old transition time included.
func steady(before, after podState) bool {
	return before.available() && after.available() && before.version == after.version
}

// recount looks at every pod anew, after what counts has changed: another
// ReplicaSet, another minReadySeconds.
func (t *tally) recount(at time.Time) {
	t.ready, t.available = 0, 0
	for uid, before := range t.pods {
		after := t.assess(before.slimPod, before, at)
		t.pods[uid] = after
		t.count(podState{}, after)
	}
	t.republish(at)
}
