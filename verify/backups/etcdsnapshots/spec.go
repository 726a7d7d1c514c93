// Package backups checks that backups keep being made: that the newest is young
// enough and that enough are kept. It looks at what is there; that a backup
// restores is for the steps that restore one.
package backups

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Spec is the backups check of a scenario. Exactly one kind of backup is set.
type Spec struct {
	// EtcdSnapshots are files in a directory of the machine that runs gameday.
	EtcdSnapshots *EtcdSnapshots `json:"etcdSnapshots,omitempty"`
}

// EtcdSnapshots says what must be in a directory of etcd snapshots.
type EtcdSnapshots struct {
	// Directory of the snapshots. Default: etcd.snapshotDirectory of the Environment.
	Directory string `json:"directory,omitempty"`
	// MaxAge is the oldest that the newest snapshot may be.
	MaxAge metav1.Duration `json:"maxAge"`
	// MinKept is how many snapshots must be there at least. Default 1.
	MinKept int `json:"minKept,omitempty"`
}
