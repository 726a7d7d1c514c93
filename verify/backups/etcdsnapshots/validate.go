package etcdsnapshots

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// Validate reports everything about the check that can be told without looking.
func (s *Spec) Validate(path *field.Path) field.ErrorList {
	var problems field.ErrorList
	if s.MaxAge.Duration == 0 {
		problems = append(problems, field.Required(path.Child("maxAge"), "how old the newest may be, such as 26h for one a day"))
	} else {
		problems = fields.Positive(path.Child("maxAge"), &s.MaxAge)
	}
	if s.MinKept < 0 {
		problems = append(problems, field.Invalid(path.Child("minKept"), s.MinKept, "must be a number from 1"))
	}
	return problems
}
