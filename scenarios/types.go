// Package scenarios is what a game day is: the documents people write, how
// they are read, and everything that can be said about them without a cluster.
// It is pure: it opens no file, reads no environment variable and no clock.
package scenarios

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup/etcd"
	"gameday.dev/gameday/backup/velero"
	"gameday.dev/gameday/experiments/nodedrain"
	"gameday.dev/gameday/experiments/podkill"
	"gameday.dev/gameday/verify/alerts"
	"gameday.dev/gameday/verify/availability"
	"gameday.dev/gameday/verify/backups"
)

// What stands at the top of every document.
const (
	APIVersion      = "gameday.dev/v1alpha1"
	KindScenario    = "Scenario"
	KindEnvironment = "Environment"
)

// Scenario is one game day: what is broken, within which limits, and what must
// hold all the while.
type Scenario struct {
	// APIVersion is gameday.dev/v1alpha1.
	APIVersion string `json:"apiVersion" jsonschema:"enum=gameday.dev/v1alpha1"`
	// Kind is Scenario.
	Kind string `json:"kind" jsonschema:"enum=Scenario"`
	// Metadata names the scenario.
	Metadata Metadata `json:"metadata"`
	// Spec is the scenario itself.
	Spec ScenarioSpec `json:"spec"`
}

// Metadata names a document.
type Metadata struct {
	// Name is a DNS label: lower case letters, digits and dashes.
	Name string `json:"name"`
}

// ScenarioSpec is the body of a Scenario.
type ScenarioSpec struct {
	// Description says, in a sentence, what a pass proves.
	Description string `json:"description,omitempty"`
	// Parameters are what --set may change, used as ${name} in any string of
	// the document; $${ stands for a literal ${.
	Parameters []Parameter `json:"parameters,omitempty"`
	// Seed of every random choice. Random, and recorded, when unset.
	Seed *int64 `json:"seed,omitempty"`
	// Timeout of the whole run, undo not included. Default 30m.
	Timeout *metav1.Duration `json:"timeout,omitempty"`
	// Limits are the blast radius: what the run may touch at the most. Needed
	// unless every step is a proof, which touches nothing.
	Limits Limits `json:"limits,omitempty,omitzero"`
	// Checks are watched from before the first step until the end. Needed
	// unless there is a proof among the steps.
	Checks []Check `json:"checks,omitempty" jsonschema:"minItems=1"`
	// Steps are run in order; those inside a parallel group at the same time.
	Steps []Step `json:"steps" jsonschema:"minItems=1"`
}

// Parameter is a value that differs from one use of a scenario to the next.
type Parameter struct {
	// Name as used in ${name} and --set name=value.
	Name string `json:"name"`
	// Default is the value when --set gives none; without it, --set must.
	Default *Text `json:"default,omitempty"`
	// Description says what the parameter is.
	Description string `json:"description,omitempty"`
}

// Text is a string that a document may also write as a bare number or boolean.
type Text string

// Check is one property that must hold. Exactly one kind of check is set.
type Check struct {
	// Name of the check, unique in the scenario.
	Name string `json:"name"`
	// AbortOnBreach ends the injection and undoes it as soon as the promise is broken for good.
	AbortOnBreach bool `json:"abortOnBreach,omitempty"`
	// Availability: a workload kept enough Ready replicas.
	Availability *availability.Spec `json:"availability,omitempty"`
	// Alerts: those that must fire did, and nothing else.
	Alerts *alerts.Spec `json:"alerts,omitempty"`
	// Backups: they are still being made.
	Backups *backups.Spec `json:"backups,omitempty"`
}

// Step is one fault, one proof, or a group of them at the same time. Exactly
// one of podKill, nodeDrain, etcdSnapshot, etcdRestore, veleroRestore and parallel is set.
type Step struct {
	// Name of the step, unique in the scenario. A parallel group may go without.
	Name string `json:"name,omitempty"`
	// Hold is how long to stay in the faulty state before the next step. In a
	// group it belongs to the group, not to the steps inside.
	Hold *metav1.Duration `json:"hold,omitempty"`
	// PodKill takes pods away.
	PodKill *podkill.Spec `json:"podKill,omitempty"`
	// NodeDrain cordons nodes and evicts their pods.
	NodeDrain *nodedrain.Spec `json:"nodeDrain,omitempty"`
	// EtcdSnapshot takes a snapshot of etcd, stores and verifies it.
	EtcdSnapshot *etcd.Snapshot `json:"etcdSnapshot,omitempty"`
	// EtcdRestore proves that a snapshot of etcd brings the cluster back.
	EtcdRestore *etcd.Restore `json:"etcdRestore,omitempty"`
	// VeleroRestore proves that a Velero backup brings a namespace back.
	VeleroRestore *velero.Restore `json:"veleroRestore,omitempty"`
	// Parallel holds steps that are injected at the same time. Groups do not nest.
	Parallel []Step `json:"parallel,omitempty" jsonschema:"minItems=1"`
}
