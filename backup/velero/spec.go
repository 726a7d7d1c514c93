// Package velero proves that a Velero backup brings a namespace back. veleroRestore
// restores it into a scratch namespace, compares what came back with what the
// backup holds and with the living original, object by object and file by file,
// and removes all it has made. It only ever reads the original; a backup that it has
// Velero take now runs the backup hooks that pods of the original ask for.
package velero

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/velero/probe"
)

// The rungs of the ladder, from the bottom. Ready and probe are climbed when the
// restored workloads are started, the others as the scenario asks.
const (
	rungBackup  = "backup"  // there, complete, and readable
	rungRestore = "restore" // Velero says that it restored everything
	rungReady   = "ready"   // the restored workloads are Ready
	rungProbe   = "probe"   // the application's own check of its data
	rungObjects = "objects" // every object came back as it was backed up
	rungVolumes = "volumes" // every volume came back
	rungControl = "control" // the comparison has been seen to find a difference
)

const (
	defaultTimeout        = 30 * time.Minute
	defaultCleanupTimeout = 3 * time.Minute
)

// Restore is the veleroRestore step of a scenario.
type Restore struct {
	// Backup says which backup is restored.
	Backup Source `json:"backup"`
	// Namespace is the one that is restored; needed when the backup has several.
	Namespace string `json:"namespace,omitempty"`
	// Into is the scratch namespace: it must not exist, and is deleted again.
	Into string `json:"into"`
	// Exclude are resources that are not restored, by their plural and group, such as
	// widgets.example.com: those that an operator would act on.
	Exclude []string `json:"exclude,omitempty"`
	// Start lets the restored workloads run. Unset, they are restored with no
	// replicas, suspended, or unable to begin.
	Start bool `json:"start,omitempty"`
	// Network of the scratch namespace: isolated (default) lets its pods talk to
	// each other and to DNS alone, open makes no NetworkPolicy.
	Network string `json:"network,omitempty" jsonschema:"enum=isolated,enum=open"`
	// Quota bounds what the scratch namespace may hold to what the backup holds.
	// Default true.
	Quota *bool `json:"quota,omitempty"`
	// Volumes says what is asked of volumes.
	Volumes Volumes `json:"volumes,omitempty,omitzero"`
	// Probe asks the restored application about its data. Needs start.
	Probe *probe.Spec `json:"probe,omitempty"`
	// Canary is a write whose moment tells the age of what was restored.
	Canary *Canary `json:"canary,omitempty"`
	// Control changes one restored object and fails if the comparison does not see it.
	Control bool `json:"control,omitempty"`
	// ExistingResourcePolicy is Velero's. Only none, the default, is taken: update would overwrite.
	ExistingResourcePolicy string `json:"existingResourcePolicy,omitempty" jsonschema:"enum=none"`
	// Objectives that RPO and RTO are held against.
	Objectives *backup.Objectives `json:"objectives,omitempty"`
	// Timeout of the whole step. Default 30m.
	Timeout *metav1.Duration `json:"timeout,omitempty"`
	// CleanupTimeout is how long deleting the scratch namespace may take before it
	// counts as stuck. Default 3m, from 10s to 4m.
	CleanupTimeout *metav1.Duration `json:"cleanupTimeout,omitempty"`
}

// Source says which backup. Exactly one of namespaces, name and schedule is set.
type Source struct {
	// Namespaces are backed up now, with the backup hooks of their pods; the backup is
	// deleted afterwards.
	Namespaces []string `json:"namespaces,omitempty"`
	// Name of a backup that is there.
	Name string `json:"name,omitempty"`
	// Schedule whose newest completed backup is meant.
	Schedule string `json:"schedule,omitempty"`
	// StorageLocation of a backup taken now. Default: Velero's.
	StorageLocation string `json:"storageLocation,omitempty"`
	// DefaultVolumesToFsBackup is Velero's, for a backup taken now: the files of
	// all volumes are backed up by the node-agent. Default true.
	DefaultVolumesToFsBackup *bool `json:"defaultVolumesToFsBackup,omitempty"`
}

// Volumes says what is asked of volumes. Each must have been backed up and
// restored, unless it is ignored.
type Volumes struct {
	// Compare compares the files of each volume with the original's. It needs an
	// image in the Environment.
	Compare bool `json:"compare,omitempty"`
	// Ignore are volumes whose loss is accepted: names of claims, or of volumes of a pod.
	Ignore []string `json:"ignore,omitempty"`
	// KubeletRoot is the kubelet's --root-dir, an absolute path. Default /var/lib/kubelet.
	KubeletRoot string `json:"kubeletRoot,omitempty"`
}

// Canary is a moment that somebody writes into a ConfigMap again and again, as
// RFC 3339 or seconds since 1970.
type Canary struct {
	// ConfigMap in the namespace that is restored.
	ConfigMap string `json:"configMap"`
	// Key of its data.
	Key string `json:"key"`
}

// The values of Network.
const (
	networkIsolated = "isolated"
	networkOpen     = "open"
)

// rungs are all rungs in the order they are climbed.
func rungs() []string {
	return []string{rungBackup, rungRestore, rungReady, rungProbe, rungObjects, rungVolumes, rungControl}
}

// required are the rungs that this step must reach.
func (s *Restore) required() []string {
	return slices.DeleteFunc(rungs(), func(name string) bool {
		return name == rungReady && !s.Start || name == rungProbe && s.Probe == nil || name == rungControl && !s.Control
	})
}

// isNew says whether the backup is taken by the step.
func (s *Restore) isNew() bool { return len(s.Backup.Namespaces) > 0 }

func (s *Restore) isolated() bool { return s.Network != networkOpen }

func (s *Restore) limitsSize() bool { return s.Quota == nil || *s.Quota }

func orDefault(set *metav1.Duration, otherwise time.Duration) time.Duration {
	if set == nil {
		return otherwise
	}
	return set.Duration
}
