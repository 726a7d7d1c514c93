package backups

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// Validate reports everything about the check that can be told without a cluster.
func (s *Spec) Validate(path *field.Path) field.ErrorList {
	if s.EtcdSnapshots == nil {
		return field.ErrorList{field.Required(path, "say which backups: etcdSnapshots")}
	}
	return s.EtcdSnapshots.validate(path.Child("etcdSnapshots"))
}

func (e *EtcdSnapshots) validate(path *field.Path) field.ErrorList {
	var problems field.ErrorList
	if e.MaxAge.Duration == 0 {
		problems = append(problems, field.Required(path.Child("maxAge"), "how old the newest may be, such as 26h for one a day"))
	} else {
		problems = fields.Positive(path.Child("maxAge"), &e.MaxAge)
	}
	if e.MinKept < 0 {
		problems = append(problems, field.Invalid(path.Child("minKept"), e.MinKept, "must be a number from 1"))
	}
	return problems
}
