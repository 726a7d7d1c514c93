// Package backups checks that backups keep being made: that the newest is young
// enough and that enough are there. It looks at what is there; that a backup
// restores is for the steps that restore one.
package backups

import (
	"gameday.dev/gameday/verify/backups/etcdsnapshots"
	"gameday.dev/gameday/verify/backups/veleroschedules"
)

// Spec is the backups check of a scenario. Exactly one kind of backup is set.
type Spec struct {
	// EtcdSnapshots are files in a directory of the machine that runs gameday.
	EtcdSnapshots *etcdsnapshots.Spec `json:"etcdSnapshots,omitempty"`
	// VeleroSchedules are what Velero makes backups by, over and over.
	VeleroSchedules *veleroschedules.Spec `json:"veleroSchedules,omitempty"`
}
