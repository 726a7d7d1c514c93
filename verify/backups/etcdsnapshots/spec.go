// Package etcdsnapshots checks that etcd snapshots keep being made: that the
// newest is young enough and enough are kept. It looks at the files that are
// there; that one restores is for the step that restores it.
package etcdsnapshots

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Spec says what must be in a directory of etcd snapshots.
type Spec struct {
	// Directory of the snapshots. Default: etcd.snapshotDirectory of the Environment.
	Directory string `json:"directory,omitempty"`
	// MaxAge is the oldest that the newest snapshot may be.
	MaxAge metav1.Duration `json:"maxAge"`
	// MinKept is how many snapshots must be there at least. Default 1.
	MinKept int `json:"minKept,omitempty"`
}
