package backups

import (
	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/backups/etcdsnapshots"
	"gameday.dev/gameday/verify/backups/veleroschedules"
)

// New makes the check called name of the kind that is set. Of a spec that sets
// none, which Validate refuses, it makes a check that can tell nothing.
func New(name string, spec Spec) verify.Check {
	switch {
	case spec.VeleroSchedules != nil:
		return veleroschedules.New(name, *spec.VeleroSchedules)
	case spec.EtcdSnapshots != nil:
		return etcdsnapshots.New(name, *spec.EtcdSnapshots)
	default:
		return etcdsnapshots.New(name, etcdsnapshots.Spec{})
	}
}
