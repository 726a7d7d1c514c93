package journal

import (
	"encoding/json"
	"fmt"
	"time"
)

// Version is the format of the events this build writes. A reader accepts
// every version up to its own and refuses newer ones by name.
const Version = 1

// Event is one line of journal.jsonl: something that happened, never what it
// means.
type Event struct {
	// Version is the event format, so that a record outlives the build that wrote it.
	Version int `json:"v"`
	// Seq numbers the events of one run from 1 without gaps; a gap means lost lines.
	Seq int64 `json:"seq"`
	// Time is when the event was written, UTC, with nanoseconds. Payloads carry
	// times of their own where the moment of observation matters.
	Time time.Time `json:"time"`
	// Kind names the payload: "step.injecting", "availability.sample", …
	Kind string `json:"kind"`
	// Step is the step this event belongs to, empty for the run itself.
	Step string `json:"step,omitempty"`
	// Check is the check this event belongs to, empty otherwise.
	Check string `json:"check,omitempty"`
	// Data is the payload, a JSON object whose type Kind names.
	Data json.RawMessage `json:"data,omitempty"`
}

// Decode reads the payload into out.
func (e Event) Decode(out any) error {
	if err := json.Unmarshal(e.Data, out); err != nil {
		return fmt.Errorf("decoding event %d (%s): %w", e.Seq, e.Kind, err)
	}
	return nil
}

// The events of a run and its steps: what every room may rely on. Events that
// only one room reads are declared in that room.
const (
	RunStarted      = "run.started"      // payload RunInfo
	RunBaseline     = "run.baseline"     // payload Baseline: the checks were judged before any fault
	RunHeartbeat    = "run.heartbeat"    // no payload: the runner was alive; it moves the record's clock on
	RunAborting     = "run.aborting"     // payload Reason: no further step is injected, undo begins
	RunSettling     = "run.settling"     // no payload: every fault is undone, checks wait for recovery
	RunFinished     = "run.finished"     // payload RunEnd
	StepPlanned     = "step.planned"     // payload Planned
	StepInjecting   = "step.injecting"   // no payload: the fault begins now
	StepInjected    = "step.injected"    // payload Outcome: Inject has returned
	StepHolding     = "step.holding"     // payload Hold
	StepHeld        = "step.held"        // no payload
	StepUndoing     = "step.undoing"     // no payload
	StepUndone      = "step.undone"      // payload Undone
	StepSettled     = "step.settled"     // payload Settled: what the fault disturbed is whole again, or not
	StepSkipped     = "step.skipped"     // payload Reason
	StepProgress    = "step.progress"    // payload Progress: for people, never judged
	PodDisrupted    = "pod.disrupted"    // payload Disruption: this run removed or disturbed a pod
	ObserverStarted = "observer.started" // no payload: the check sees the world from now on
	ObserverFailed  = "observer.failed"  // payload Reason: the check sees nothing any more
)

// RunInfo opens a record and holds all that a judge needs besides the events.
type RunInfo struct {
	ID       string `json:"id"`
	Scenario string `json:"scenario"` // metadata.name
	// Document is the scenario as it was run: parameters filled in, as JSON.
	Document    json.RawMessage `json:"document"`
	Seed        int64           `json:"seed"`
	Cluster     string          `json:"cluster"`     // context name, or "in-cluster"
	Environment string          `json:"environment"` // metadata.name of the Environment, if any
	Gameday     string          `json:"gameday"`     // version of gameday
	Kubernetes  string          `json:"kubernetes"`  // version of the API server
	Host        string          `json:"host"`        // where the runner runs
}

// Baseline says what the checks found before anything was broken.
type Baseline struct {
	Healthy  bool              `json:"healthy"`
	Findings map[string]string `json:"findings"` // check name to summary
}

// Reason is a payload that only explains.
type Reason struct {
	Reason string `json:"reason"`
	// Cause is a short machine-readable word: interrupted, timeout, breach, lock, failed, record, killed.
	Cause string `json:"cause,omitempty"`
}

// Target is one object a step touches.
type Target struct {
	Kind      string `json:"kind"` // Pod, Node, …
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	UID       string `json:"uid,omitempty"`
	Node      string `json:"node,omitempty"` // where a pod ran
}

// String names the target as people do: shop/web-1, node-2.
func (t Target) String() string {
	if t.Namespace == "" {
		return t.Name
	}
	return t.Namespace + "/" + t.Name
}

// Planned is what a step is about to do, written and synced before it is done.
type Planned struct {
	Experiment string          `json:"experiment"` // podKill, nodeDrain, …
	Targets    []Target        `json:"targets"`
	Warnings   []string        `json:"warnings,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"` // what Inject and Undo need
}

// State is how a step ended.
type State string

// The states of a step.
const (
	Done    State = "done"
	Blocked State = "blocked" // a PodDisruptionBudget refused
	Failed  State = "failed"
	Skipped State = "skipped"
)

// Outcome is what became of an injection.
type Outcome struct {
	State State `json:"state"`
	// Expected says whether the scenario asked for this state (expect: blocked).
	Expected bool `json:"expected"`
	// Summary is one line for people: "n2 drained in 41s: 9 pods evicted".
	Summary string `json:"summary"`
}

// Hold says how long the faulty state is kept.
type Hold struct {
	Seconds float64 `json:"seconds"`
}

// Undone is what became of undoing a step.
type Undone struct {
	OK bool `json:"ok"`
	// Left names what remains and how to finish it by hand; empty when OK.
	Left string `json:"left,omitempty"`
	// Summary is one line for people, empty when there was nothing to undo.
	Summary string `json:"summary,omitempty"`
}

// Settled says whether what a step disturbed is whole again.
type Settled struct {
	Recovered bool    `json:"recovered"`
	Seconds   float64 `json:"seconds"` // since the injection began
	Summary   string  `json:"summary"` // "replacement web-x Ready after 3.1s"
}

// Progress is a line for people while a step runs.
type Progress struct {
	Message string `json:"message"`
}

// Disruption says that this run took a pod away. Judges attribute losses by UID.
type Disruption struct {
	Target Target    `json:"target"`
	How    string    `json:"how"` // deleted, evicted
	At     time.Time `json:"at"`  // when the API server answered
}

// RunEnd closes a record.
type RunEnd struct {
	// Undone is false when something is left; it outranks every finding.
	Undone bool `json:"undone"`
	// Left names what is left beyond what the steps say of themselves.
	Left string `json:"left,omitempty"`
	// Interrupted is true when a signal ended the run.
	Interrupted bool `json:"interrupted"`
	// Refused holds the reason when the run ended before anything was touched.
	Refused string `json:"refused,omitempty"`
}
