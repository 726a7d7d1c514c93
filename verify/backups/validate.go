package backups

import (
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validate reports everything about the check that can be told without a
// cluster. One check is of one kind, so that a report says of each by name
// whether its backups keep coming.
func (s *Spec) Validate(path *field.Path) field.ErrorList {
	switch {
	case s.EtcdSnapshots != nil && s.VeleroSchedules != nil:
		return field.ErrorList{field.Forbidden(path, "etcdSnapshots and veleroSchedules exclude each other: make it two checks, each with a name")}
	case s.EtcdSnapshots != nil:
		return s.EtcdSnapshots.Validate(path.Child("etcdSnapshots"))
	case s.VeleroSchedules != nil:
		return s.VeleroSchedules.Validate(path.Child("veleroSchedules"))
	default:
		return field.ErrorList{field.Required(path, "set one of etcdSnapshots, veleroSchedules")}
	}
}
