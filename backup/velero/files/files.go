// Package files compares what is in volumes, file by file: those of a namespace
// and those of its copy that Velero has restored from a file-system backup. It
// reads, on the nodes, through pods of its own; it writes nothing to either side,
// and no content of a file leaves its node.
//
// What is equal is proven by sha256. What differs is labelled: Loss, Drift (a side
// has moved on, so the difference says nothing about the backup) or Unclear.
package files

import (
	"context"
	"time"

	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/internal/kube"
)

// Options say what is compared and how.
type Options struct {
	Client kubernetes.Interface
	Exec   kube.Executor
	// Image has /gameday in it, of this program's version.
	Image string
	// Namespace is where the readers run. It must allow hostPath volumes.
	Namespace string
	// RunID labels the readers, for Remove.
	RunID string
	// KubeletRoot is the kubelets' --root-dir; empty means /var/lib/kubelet.
	KubeletRoot string
	// Fuse is how long a reader lives if nobody removes it; 0 means six hours.
	Fuse time.Duration
	// Start is how long a reader may take to start; 0 means three minutes.
	Start time.Duration
	// Pairs are compared one after the other.
	Pairs []Pair
	// Examples is how many differences of each label a pair keeps; 0 means 20.
	Examples int
	// Progress, if not nil, is told now and then how far a pair is.
	Progress func(Progress)
}

// Pair is one volume and its copy.
type Pair struct {
	Source   Volume
	Restored Volume
	// BackedUpAt is when Velero began to read the source, by the clock of its
	// node: status.startTimestamp of the PodVolumeBackup.
	BackedUpAt time.Time
	// UsedSince is when the first container of the restored pod was started, by
	// the clock of its node. What has changed there since, the restored application
	// has changed. Zero when none has run.
	UsedSince time.Time
	// FSGroup is that of the restored pod, to which its kubelet gives whatever is in a
	// volume when it mounts it; nil without one.
	FSGroup *int64
	// Blocks says that the volume was copied as a whole, by a snapshot of its storage,
	// and not file by file by kopia: then what kopia leaves out must be there.
	Blocks bool
	// Empty says that the backup holds not a byte of it.
	Empty bool
}

// Volume is a volume as one pod has it.
type Volume struct {
	Pod  kube.PodRef `json:"pod"`
	Node string      `json:"node"`
	// Name is the volume's in the pod's spec.
	Name string `json:"name"`
	// Claim and PV are empty for volumes without a claim.
	Claim string `json:"claim,omitempty"`
	PV    string `json:"pv,omitempty"`
	// Block says that the volume is a device without a file system.
	Block bool `json:"block,omitempty"`
}

// String names the volume as people do: data of shop/db-0.
func (v Volume) String() string { return v.Name + " of " + v.Pod.String() }

// Progress is how far the comparison of a pair is.
type Progress struct {
	Pair     int // of Options.Pairs
	Source   Counts
	Restored Counts
}

// Compare compares all pairs. With an error the evidence is not whole: Result
// holds what there is, and PairResult.Error says what is missing. The readers are
// removed on the way out; Remove is for whoever comes after a process that died.
func Compare(ctx context.Context, options Options) (Result, error) {
	return compare(ctx, options.withDefaults())
}

func (o Options) withDefaults() Options {
	if o.KubeletRoot == "" {
		o.KubeletRoot = "/var/lib/kubelet"
	}
	if o.Fuse <= 0 {
		o.Fuse = 6 * time.Hour
	}
	if o.Start <= 0 {
		o.Start = 3 * time.Minute
	}
	if o.Examples <= 0 {
		o.Examples = 20
	}
	return o
}
