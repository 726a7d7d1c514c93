package availability

import (
	"fmt"
	"time"
)

// The events of this check. There is one event for each change of what they
// describe, not one for each message of a watch: most messages about a pod
// change nothing that this check looks at.
const (
	eventTarget    = "availability.target"    // payload targetEvent: what is promised, at first and whenever it changes
	eventCount     = "availability.count"     // payload countEvent: how many replicas are available from now on
	eventPod       = "availability.pod"       // payload podEvent: more is known of why a pod was lost
	eventBelow     = "availability.below"     // payload belowEvent: the floor is still broken; at most one a second
	eventGap       = "availability.gap"       // payload gapEvent: a stretch in which this check did not see, or saw late
	eventNode      = "availability.node"      // payload nodeEvent: a node with pods of the workload changed
	eventEndpoints = "availability.endpoints" // payload endpointsEvent: a Service disagrees with the pods, or agrees again
	eventNote      = "availability.note"      // payload noteEvent: something this check has to do without
	eventEnded     = "availability.ended"     // payload endedEvent: the count is known up to here
)

// targetEvent is what the workload wants and what it was promised to keep.
type targetEvent struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	Name    string    `json:"name"` // namespace/name
	UID     string    `json:"uid,omitempty"`
	Desired int       `json:"desired"`
	Floor   int       `json:"floor"`
	// Source says where the floor comes from: "minAvailable", "PDB web", "replicas - 1".
	Source          string   `json:"source"`
	PDBs            []string `json:"pdbs,omitempty"`
	MinReadySeconds int      `json:"minReadySeconds,omitempty"`
	// Gone is true when the workload itself was deleted; what it wanted last still holds.
	Gone bool `json:"gone,omitempty"`
}

// countEvent is the number of available replicas from At on.
type countEvent struct {
	At        time.Time `json:"at"`
	Available int       `json:"available"`
	Desired   int       `json:"desired"`
	Floor     int       `json:"floor"`
	// Pods are those whose change made the count; none in the first event.
	Pods []podChange `json:"pods,omitempty"`
}

// podChange is a pod that became available or was lost, with what its own
// status says about why. Reasons are quoted here and weighed by the judge.
type podChange struct {
	Name      string `json:"name"`
	UID       string `json:"uid"`
	Node      string `json:"node,omitempty"`
	Available bool   `json:"available"`
	// Terminating or Gone: the pod was deleted, or is no more.
	Terminating bool `json:"terminating,omitempty"`
	Gone        bool `json:"gone,omitempty"`
	// Phase is given only when it is an end: Failed or Succeeded.
	Phase string `json:"phase,omitempty"`
	// ReadyReason and ReadySince are the API's own, to a second: a help for the
	// reader, no measure of time.
	ReadyReason string    `json:"readyReason,omitempty"`
	ReadySince  time.Time `json:"readySince,omitzero"`
	// Disruption is the reason of the DisruptionTarget condition.
	Disruption string `json:"disruption,omitempty"`
	Exit       *exit  `json:"exit,omitempty"`
}

// exit is a container that ended.
type exit struct {
	Container string `json:"container"`
	Reason    string `json:"reason,omitempty"` // OOMKilled, Error, Completed
	Code      int    `json:"code"`
}

type podEvent struct {
	At  time.Time `json:"at"`
	Pod podChange `json:"pod"`
}

// belowEvent moves the record's own time on while nothing changes, so that a
// judge can tell that an outage has used up its allowance.
type belowEvent struct {
	At        time.Time `json:"at"`
	Available int       `json:"available"`
}

// gapEvent is a stretch in which this check's eyes were shut.
type gapEvent struct {
	From time.Time `json:"from"`
	// To is zero while the gap lasts; the event follows again when it is over.
	To    time.Time `json:"to,omitzero"`
	Watch string    `json:"watch"` // pods, Deployment, …; "connection" when it was all of them
	Why   string    `json:"why"`
	// Lost is true when changes may have gone unseen: the watch had to begin
	// anew from a list. Else every change was seen, but its moment is only known
	// to lie in the gap.
	Lost bool `json:"lost"`
	// Steady is, for a lost gap of the pods, how many pods are proven to have
	// been available throughout: the very same version before and after.
	Steady int `json:"steady,omitempty"`
}

// watchConnection is the Watch of a gap that concerns all of them.
const watchConnection = "connection"

// watchPods is the watch that the count is made from.
const watchPods = "pods"

type nodeEvent struct {
	At    time.Time `json:"at"`
	Name  string    `json:"name"`
	Ready bool      `json:"ready"`
	// Reason is that of the Ready condition, or "Deleted".
	Reason string `json:"reason,omitempty"`
}

type endpointsEvent struct {
	At      time.Time `json:"at"` // since when it has been so
	Service string    `json:"service"`
	// Ready, Serving and Terminating count the endpoints that are our pods.
	Ready       int `json:"ready"`
	Serving     int `json:"serving"`
	Terminating int `json:"terminating"`
	// Pods is how many of our pods are Ready and not terminating.
	Pods int `json:"pods"`
}

type noteEvent struct {
	Note string `json:"note"`
}

type endedEvent struct {
	At time.Time `json:"at"`
}

// String is the gap as a line of evidence.
func (g gapEvent) String() string {
	return fmt.Sprintf("%s, %s: %s", g.Watch, span(g.From, g.To), g.Why)
}
