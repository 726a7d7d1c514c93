package veleroschedules

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// Validate reports everything about the check that can be told without a cluster.
func (s *Spec) Validate(path *field.Path) field.ErrorList {
	var problems field.ErrorList
	if s.MaxAge.Duration == 0 {
		problems = append(problems, field.Required(path.Child("maxAge"), "how old the newest backup may be, such as 26h for one a day"))
	} else {
		problems = fields.Positive(path.Child("maxAge"), &s.MaxAge)
	}
	problems = append(problems, names(path.Child("schedules"), s.Schedules)...)
	problems = append(problems, names(path.Child("allowPaused"), s.AllowPaused)...)
	problems = append(problems, fields.Share(path.Child("maxShrink"), s.MaxShrink)...)
	for i, name := range s.AllowPaused {
		if s.Schedules != nil && !slices.Contains(s.Schedules, name) {
			problems = append(problems, field.Invalid(path.Child("allowPaused").Index(i), name, "is not among the schedules that are looked at"))
		}
	}
	return problems
}

// names holds a list that was written down to names, each once.
func names(path *field.Path, list []string) field.ErrorList {
	if list != nil && len(list) == 0 {
		return field.ErrorList{field.Required(path, "name one, or leave it out")}
	}
	var problems field.ErrorList
	for i, name := range list {
		if slices.Contains(list[:i], name) {
			problems = append(problems, field.Duplicate(path.Index(i), name))
			continue
		}
		problems = append(problems, fields.Subdomain(path.Index(i), name)...)
	}
	return problems
}
