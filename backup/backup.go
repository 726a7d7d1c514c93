// Package backup is the contract of disaster recovery: of steps that break
// nothing and prove something, namely that a backup brings back what it was
// made of. Such a step climbs rungs, writes what it finds on each, and is judged
// from the record like a check.
package backup

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/fields"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// Proof is a step that proves something. Its Inject gathers the evidence and
// ends done when that could be gathered, whatever it says; Judge says what it
// means. A proof that fails ends no run: it has disturbed nothing.
type Proof interface {
	experiments.Experiment
	// Judge judges the events of the step of that name: no I/O, no clock. The
	// zero Result is inconclusive.
	Judge(record *journal.Record, step string) Result
}

// Result is what a proof found, with its evidence.
type Result struct {
	verify.Finding
	Evidence Evidence
}

// Evidence is what an auditor asks for, as report.json holds it.
type Evidence struct {
	// Reached is the highest rung reached, empty when none was.
	Reached string `json:"reached"`
	// Required is the rung that had to be reached.
	Required string `json:"required"`
	// Rungs are those that were tried, in their order.
	Rungs []Rung `json:"rungs"`
	// RPOSeconds is the age of the backup at the moment of the disaster; nil when it could not be told.
	RPOSeconds *float64 `json:"rpoSeconds,omitempty"`
	// RTOSeconds is the time until what was restored served; nil when it never did.
	RTOSeconds *float64 `json:"rtoSeconds,omitempty"`
	// RTOPhases are what that time was spent on.
	RTOPhases []Phase `json:"rtoPhases,omitempty"`
	// Objectives are those of the scenario, in seconds; nil when it sets none.
	ObjectiveRPOSeconds *float64 `json:"objectiveRPOSeconds,omitempty"`
	ObjectiveRTOSeconds *float64 `json:"objectiveRTOSeconds,omitempty"`
	// Backup describes what was restored: file, sha256, revision, …
	Backup map[string]string `json:"backup,omitempty"`
	// Counts are what was found in it: objects by resource.
	Counts map[string]int64 `json:"counts,omitempty"`
}

// Rung is one rung of a ladder and what was found there.
type Rung struct {
	Name    string         `json:"name"`
	Verdict verify.Verdict `json:"verdict"`
	// Seconds the rung took.
	Seconds float64 `json:"seconds"`
	// RecoverySeconds are those of them that a real recovery would spend too:
	// they add up to the RTO. Verifying is no part of it.
	RecoverySeconds float64 `json:"recoverySeconds,omitempty"`
	// Phases split RecoverySeconds where a rung has more than one.
	Phases []Phase `json:"phases,omitempty"`
	// Summary is one line: "1147 objects in 62 resources equal the live cluster at revision 4711".
	Summary string `json:"summary"`
	// Problems name what is wrong, the most telling first. They are capped;
	// ProblemCount is how many there were.
	Problems     []string `json:"problems,omitempty"`
	ProblemCount int64    `json:"problemCount,omitempty"`
	// Notes are what people should know although it is no problem: what a rule let pass.
	Notes []string `json:"notes,omitempty"`
	// Hints say what to do next.
	Hints []string `json:"hints,omitempty"`
}

// Phase is a part of a recovery.
type Phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// phases are those of a rung; one without any is a phase itself.
func (r Rung) phases() []Phase {
	if len(r.Phases) > 0 {
		return r.Phases
	}
	return []Phase{{Name: r.Name, Seconds: r.RecoverySeconds}}
}

// Objectives are what the business has asked for.
type Objectives struct {
	// RPO is the oldest that the backup may be when disaster strikes.
	RPO *metav1.Duration `json:"rpo,omitempty"`
	// RTO is the longest that the recovery may take until it serves.
	RTO *metav1.Duration `json:"rto,omitempty"`
}

// Validate reports everything about the objectives that can be told without a cluster.
func (o *Objectives) Validate(path *field.Path) field.ErrorList {
	if o == nil {
		return nil
	}
	problems := fields.Positive(path.Child("rpo"), o.RPO)
	return append(problems, fields.Positive(path.Child("rto"), o.RTO)...)
}

// Seconds gives an objective as Evidence holds it.
func Seconds(objective *metav1.Duration) *float64 {
	if objective == nil {
		return nil
	}
	seconds := objective.Seconds()
	return &seconds
}

// The events of a proof, the same for every kind of backup.
const (
	EventDisaster = "backup.disaster" // payload Disaster: the moment from which RPO and RTO count
	EventRung     = "backup.rung"     // payload Rung: a rung was tried; one event for each
	EventFound    = "backup.found"    // payload Found: what is known of the backup by now; later ones add and replace
)

// Disaster is the moment at which the original is taken to be lost.
type Disaster struct {
	At time.Time `json:"at"`
}

// Found is what is known of the backup.
type Found struct {
	// At is the time up to which the backup holds what happened; zero when unknown.
	At time.Time `json:"at,omitzero"`
	// AtSource says how that is known: "renewTime of Lease kube-node-lease/n1", "the file's name".
	AtSource string `json:"atSource,omitempty"`
	// Weak says that At is a claim that a copy or another name would change: the
	// content may be older, never younger.
	Weak   bool              `json:"weak,omitempty"`
	Facts  map[string]string `json:"facts,omitempty"`
	Counts map[string]int64  `json:"counts,omitempty"`
}
