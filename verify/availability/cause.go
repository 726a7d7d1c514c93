package availability

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// reactionTime is how long after a fault ended its effects are still its own,
// and how much later than its effect an answer of the API server may be noted.
const reactionTime = 2 * time.Second

// markingTime is how long after a node came back its pods are still being
// marked not Ready.
const markingTime = 5 * time.Second

// loss is a pod that stopped being available and has not been made up for.
type loss struct {
	podChange
	at time.Time
}

// lossesUntil gives the pods that were missing just before a moment. A pod
// that comes back makes up for itself; a new one for the oldest loss.
func (h *history) lossesUntil(moment time.Time) []loss {
	if moment.Before(h.walked.to) {
		h.walked = walk{}
	}
	missing, next := h.walked.missing, h.walked.next
	for ; next < len(h.counts) && h.counts[next].At.Before(moment); next++ {
		count := h.counts[next]
		for _, pod := range count.Pods {
			if !pod.Available {
				missing = append(missing, loss{pod, count.At})
				continue
			}
			made := slices.IndexFunc(missing, func(l loss) bool { return l.UID == pod.UID })
			if made < 0 && len(missing) > 0 {
				made = 0
			}
			if made >= 0 {
				missing = slices.Delete(missing, made, made+1)
			}
		}
		// More than enough makes up for every loss, whoever came first.
		if count.Available >= count.Desired {
			missing = nil
		}
	}
	h.walked = walk{to: moment, next: next, missing: missing}
	return slices.Clone(missing)
}

// walk is a place in the counts and what was missing there. Moments are mostly
// asked for in order; without it each outage of a long record would cost all
// the counts before it.
type walk struct {
	to      time.Time
	next    int
	missing []loss
}

// lossesIn gives the pods lost from the beginning of an outage to its worst.
func (h *history) lossesIn(o outage) []loss {
	var lost []loss
	for _, count := range h.counts[h.firstCount(func(at time.Time) bool { return !at.Before(o.from) }):] {
		if count.At.After(o.lowest.At) {
			break
		}
		for _, pod := range count.Pods {
			if !pod.Available {
				lost = append(lost, loss{pod, count.At})
			}
		}
	}
	return lost
}

// most is how many pods a line names before it only counts them.
const most = 5

// explain says what an outage was lost to: what broke the floor, and which
// pods had been missing before so that it could be broken.
func (h *history) explain(o outage) string {
	var causes []string
	for _, l := range h.lossesIn(o) {
		causes = append(causes, h.cause(l))
	}
	if len(causes) == 0 {
		causes = append(causes, h.otherThanLoss(o))
	}
	text := listed(causes, "; ")
	if companions := h.companions(o); companions != "" {
		text += ", while " + companions
	}
	if h.FirstFault.IsZero() || o.from.Before(h.FirstFault) {
		text += "; this was before the first fault"
	}
	return text
}

// companions names the pods that were missing when the floor broke.
func (h *history) companions(o outage) string {
	var names []string
	for _, l := range h.lossesUntil(o.from) {
		names = append(names, l.Name)
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0] + " was not Ready"
	default:
		return listed(names, ", ") + " were not Ready"
	}
}

// otherThanLoss explains an outage that began without the loss of a pod.
func (h *history) otherThanLoss(o outage) string {
	before, ok := h.at(o.from.Add(-1))
	switch {
	case ok && before.Desired != o.first.Desired:
		return fmt.Sprintf("scaled from %d to %d", before.Desired, o.first.Desired)
	case ok && before.Floor != o.first.Floor:
		return fmt.Sprintf("the floor went from %d to %d", before.Floor, o.first.Floor)
	default:
		return "unknown"
	}
}

// cause says what a pod was lost to, the surest evidence first: what this run
// wrote down, what the API server says, what the node and the containers say.
func (h *history) cause(l loss) string {
	pod := h.namespace() + "/" + l.Name
	known := h.learned(l)
	if ours, ok := h.ours(l); ok {
		return fmt.Sprintf("%s of %s by this run's %s", deed(ours.How), pod, ours.step)
	}
	if step, ok := h.stepOn(l.at, "Pod", l.UID); ok {
		return fmt.Sprintf("%s, a target of this run's %s", pod, step.Name)
	}
	node, down := h.nodeDown(l)
	where := known.Node
	if step, ok := h.stepOn(l.at, "Node", known.Node); ok {
		where += ", a target of this run's " + step.Name
	}
	switch known.Disruption {
	case "EvictionByEvictionAPI":
		return "another eviction, not by this run, of " + pod
	case "DeletionByTaintManager":
		return fmt.Sprintf("taint of node %s, which %s did not tolerate", where, pod)
	case "PreemptionByScheduler", "PreemptionByKubeScheduler":
		return "preemption of " + pod + " by the scheduler"
	case "DeletionByPodGC":
		return fmt.Sprintf("node %s, which is gone or out of service; %s was collected", where, pod)
	case "TerminationByKubelet":
		return fmt.Sprintf("node %s, which was short of resources or shutting down and ended %s", where, pod)
	}
	switch {
	case down:
		return fmt.Sprintf("node %s, not Ready (%s) with %s on it", where, node.Reason, pod)
	case known.Exit != nil:
		return fmt.Sprintf("container %s of %s ended (%s, exit code %d)", known.Exit.Container, pod, orUnknown(known.Exit.Reason), known.Exit.Code)
	case where != known.Node:
		return fmt.Sprintf("%s, on node %s", pod, where)
	}
	if step, ok := h.stepOnWorkload(l.at); ok {
		return fmt.Sprintf("%s, after this run's %s on its %s", pod, step.Name, h.targets[0].Kind)
	}
	switch {
	case known.Terminating || known.Gone:
		return "unknown: " + pod + " was deleted, not by this run"
	case known.Phase != "":
		return fmt.Sprintf("unknown: %s ended (%s)", pod, known.Phase)
	case known.ReadyReason == "ContainersNotReady":
		return "readiness of " + pod + ", whose containers went on running"
	default:
		return "unknown: " + pod + " stopped being Ready"
	}
}

// deed puts how a pod was disrupted as a noun.
func deed(how string) string {
	switch how {
	case "evicted":
		return "eviction"
	case "deleted":
		return "deletion"
	default:
		return "disruption (" + how + ")"
	}
}

func orUnknown(reason string) string {
	if reason == "" {
		return "unknown reason"
	}
	return reason
}

// learned adds to a loss what became known of it later.
func (h *history) learned(l loss) podChange {
	known := l.podChange
	for _, later := range h.evidence[l.UID] {
		if later.At.Before(l.at) {
			continue
		}
		known.Terminating = known.Terminating || later.Pod.Terminating
		if known.Disruption == "" {
			known.Disruption = later.Pod.Disruption
		}
		if known.Exit == nil {
			known.Exit = later.Pod.Exit
		}
		if known.Phase == "" {
			known.Phase = later.Pod.Phase
		}
	}
	return known
}

// ours finds what this run did to the pod before it was lost. What it did
// later, to a pod that had already failed by itself, explains nothing.
func (h *history) ours(l loss) (disruption, bool) {
	for _, d := range slices.Backward(h.disrupted[l.UID]) {
		if !d.At.After(l.at.Add(reactionTime)) {
			return d, true
		}
	}
	return disruption{}, false
}

// stepOn finds a step that held an object as its target at the time. Pods are
// found by UID, nodes by name.
func (h *history) stepOn(at time.Time, kind, id string) (verify.StepTimes, bool) {
	return h.stepWith(at, func(target journal.Target) bool {
		return id != "" && target.Kind == kind && (kind == "Node" && target.Name == id || kind != "Node" && target.UID == id)
	})
}

// stepOnWorkload finds a step that held the workload itself: scaled it,
// restarted it, cut it off.
func (h *history) stepOnWorkload(at time.Time) (verify.StepTimes, bool) {
	if len(h.targets) == 0 {
		return verify.StepTimes{}, false
	}
	workload := h.targets[0]
	return h.stepWith(at, func(target journal.Target) bool {
		return target.Kind == workload.Kind && target.String() == workload.Name
	})
}

// stepWith finds the latest step that was on at the time and has such a target.
func (h *history) stepWith(at time.Time, is func(journal.Target) bool) (verify.StepTimes, bool) {
	for _, step := range slices.Backward(h.Steps) {
		if step.Injecting.IsZero() || at.Before(step.Injecting) ||
			!step.Undone.IsZero() && at.After(step.Undone.Add(reactionTime)) {
			continue
		}
		if slices.ContainsFunc(step.Targets, is) {
			return step, true
		}
	}
	return verify.StepTimes{}, false
}

// nodeDown says whether the pod's node was not Ready when it was lost, or just
// before: the node controller marks the pods of a node after the node, and a node
// that comes back at once doesn't stop it.
func (h *history) nodeDown(l loss) (nodeEvent, bool) {
	var down nodeEvent
	for _, node := range h.nodes {
		switch {
		case node.Name != l.Node:
		case node.At.After(l.at.Add(reactionTime)):
			return down, down.Name != ""
		case !node.Ready:
			down = node
		case node.At.Before(l.at.Add(-markingTime)):
			down = nodeEvent{}
		}
	}
	return down, down.Name != ""
}

// namespace is that of the workload.
func (h *history) namespace() string {
	if len(h.targets) == 0 {
		return ""
	}
	namespace, _, _ := strings.Cut(h.targets[0].Name, "/")
	return namespace
}
