package scenarios

import (
	"iter"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/alerts"
	"gameday.dev/gameday/verify/availability"
	"gameday.dev/gameday/verify/backups"
)

// The kinds of steps: the names of the fields of the union.
const (
	KindPodKill       = "podKill"
	KindNodeDrain     = "nodeDrain"
	KindEtcdSnapshot  = "etcdSnapshot"
	KindEtcdRestore   = "etcdRestore"
	KindVeleroRestore = "veleroRestore"
	KindParallel      = "parallel"
)

// Experiment gives the fault or the proof of the step; nil for a parallel group.
func (s Step) Experiment() experiments.Experiment {
	switch {
	case s.PodKill != nil:
		return s.PodKill
	case s.NodeDrain != nil:
		return s.NodeDrain
	case s.EtcdSnapshot != nil:
		return s.EtcdSnapshot
	case s.EtcdRestore != nil:
		return s.EtcdRestore
	case s.VeleroRestore != nil:
		return s.VeleroRestore
	default:
		return nil
	}
}

// Proof gives the proof of the step; nil for a fault or a parallel group.
func (s Step) Proof() backup.Proof {
	proof, _ := s.Experiment().(backup.Proof)
	return proof
}

// Check gives what watches the property.
func (c Check) Check() verify.Check {
	switch {
	case c.Availability != nil:
		return availability.New(c.Name, *c.Availability)
	case c.Alerts != nil:
		return alerts.New(c.Name, *c.Alerts)
	case c.Backups != nil:
		return backups.New(c.Name, *c.Backups)
	default:
		return nil
	}
}

// Kind gives the name of the field that is set, empty when none is.
func (s Step) Kind() string {
	if set := s.kinds(); len(set) > 0 {
		return set[0]
	}
	return ""
}

// kinds gives the fields of the union that are set; in a valid step, one.
func (s Step) kinds() []string {
	return set(
		member{KindPodKill, s.PodKill != nil},
		member{KindNodeDrain, s.NodeDrain != nil},
		member{KindEtcdSnapshot, s.EtcdSnapshot != nil},
		member{KindEtcdRestore, s.EtcdRestore != nil},
		member{KindVeleroRestore, s.VeleroRestore != nil},
		member{KindParallel, s.Parallel != nil},
	)
}

// kinds gives the fields of the union that are set; in a valid check, one.
func (c Check) kinds() []string {
	return set(
		member{"availability", c.Availability != nil},
		member{"alerts", c.Alerts != nil},
		member{"backups", c.Backups != nil},
	)
}

// Faults gives every step that injects something, those in groups included,
// in the order of the document.
func (s *Scenario) Faults() iter.Seq[*Step] {
	return func(yield func(*Step) bool) {
		for i := range s.Spec.Steps {
			step := &s.Spec.Steps[i]
			if step.Parallel == nil {
				if !yield(step) {
					return
				}
				continue
			}
			for j := range step.Parallel {
				if !yield(&step.Parallel[j]) {
					return
				}
			}
		}
	}
}

// member is one field of a union.
type member struct {
	name  string
	isSet bool
}

func set(members ...member) []string {
	var names []string
	for _, member := range members {
		if member.isSet {
			names = append(names, member.name)
		}
	}
	return names
}

// exactlyOne holds a union to one field out of those known.
func exactlyOne(path *field.Path, set []string, known string) field.ErrorList {
	switch len(set) {
	case 1:
		return nil
	case 0:
		return field.ErrorList{field.Required(path, "set one of "+known)}
	default:
		return field.ErrorList{field.Forbidden(path, set[0]+" and "+set[1]+" exclude each other: set one of "+known)}
	}
}
