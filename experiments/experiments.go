// Package experiments is the contract between the loop that runs a game day
// and the faults it injects. An experiment knows Kubernetes and its own fault;
// it knows nothing of checks and has no opinion about what its fault showed.
package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

// LabelRun marks everything that a run creates or holds with the run's id.
const LabelRun = "gameday.dev/run"

// Namespace is gameday's own: of the lock, the ledger and pods that steps make. It
// is the same for everybody: with a choice, two runs could miss each other's lock.
const Namespace = "gameday"

// Experiment is one fault. Its receiver is the step's part of the scenario;
// everything else arrives by argument.
type Experiment interface {
	// Plan reads the cluster, changes nothing, and decides what Inject will
	// touch. A *refusal.Refusal says that the step must not run.
	Plan(ctx context.Context, env Env) (Plan, error)
	// Inject does what the plan says, nothing else. An error means that the
	// fault may be half there; Undo copes with that.
	Inject(ctx context.Context, env Env, plan Plan) (journal.Outcome, error)
	// Settle waits until what the fault disturbed is whole again, or ctx ends.
	// It changes nothing. It may run beside the steps that follow.
	Settle(ctx context.Context, env Env, plan Plan) (journal.Settled, error)
	// Undo takes the fault back. It is idempotent, is right after half an
	// Inject, and needs the plan alone: another process may call it. An error
	// names what is left and how to finish by hand.
	Undo(ctx context.Context, env Env, plan Plan) (string, error)
	// Permissions lists the least that Plan, Inject, Settle and Undo need.
	Permissions() []kube.Permission
}

// Env is what the loop lends to an experiment.
type Env struct {
	Client kubernetes.Interface
	// Dynamic reaches resources whose types are known only at run time.
	Dynamic dynamic.Interface
	// Exec runs commands in containers.
	Exec kube.Executor
	// Cluster is the name people know the cluster by.
	Cluster string
	// RunID labels everything that is created: gameday.dev/run=<RunID>.
	RunID string
	// Rand is seeded by the run and the step; draw from sorted lists only.
	// Nil outside Plan.
	Rand *rand.Rand
	// Limits is the blast radius of the scenario.
	Limits Limits
	// RunnerNode is the node this process runs on, empty outside a cluster.
	RunnerNode string
	// Etcd is nil when the environment has none.
	Etcd *Etcd
	// Velero says where Velero is.
	Velero Velero
	// Image is a container image with gameday in it, for pods that a step makes;
	// empty when the environment names none.
	Image string
	// Machine is where this process runs.
	Machine Machine
	// Artifacts is the run's directory for files that people look at, which no verdict
	// needs; empty outside a run.
	Artifacts string
	// Record writes to the journal of the run on behalf of this step.
	Record journal.Recorder
}

// Machine is where a process of gameday runs: what a step needs that works
// with files and processes of its own.
type Machine struct {
	// Host is its name: a pod's is the pod's.
	Host string
	// Passing says that the machine and its files go away with this process's
	// pod.
	Passing bool
	// Scratch is an absolute path of a directory for what a step makes and Undo removes.
	Scratch string
	// Program calls this program again, as a helper of its own: a library that
	// crashes on a damaged file must not take the run with it.
	Program []string
}

// Plan is what one step is going to do, decided before anything is touched.
// It survives the process as JSON.
type Plan struct {
	// Targets are all objects the step may touch, in the order chosen.
	Targets []journal.Target `json:"targets"`
	// Pods and Nodes count what is held against the limits.
	Pods  int `json:"pods"`
	Nodes int `json:"nodes"`
	// Matched is how many pods the selector matches, for limits in percent.
	Matched int `json:"matched"`
	// Notes are lines for `gameday plan`: what each budget allows, what stays.
	Notes []string `json:"notes,omitempty"`
	// Warnings deserve attention but do not stop the run.
	Warnings []string `json:"warnings,omitempty"`
	// Data is what the experiment itself needs to inject, settle and undo.
	Data json.RawMessage `json:"data,omitempty"`
}

// SetData stores the experiment's own part of the plan.
func (p *Plan) SetData(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding plan: %w", err)
	}
	p.Data = data
	return nil
}

// GetData reads the experiment's own part of the plan.
func (p Plan) GetData(out any) error {
	if err := json.Unmarshal(p.Data, out); err != nil {
		return fmt.Errorf("decoding plan: %w", err)
	}
	return nil
}

// Lasting marks an error of Undo that no further try mends, such as a file on
// another machine: it is told at once.
func Lasting(err error) error { return &lasting{err} }

// IsLasting says whether an error was marked so.
func IsLasting(err error) bool {
	var marked *lasting
	return errors.As(err, &marked)
}

type lasting struct{ error }

func (l *lasting) Unwrap() error { return l.error }
