package probe

import (
	"regexp"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// Validate reports everything about the probe that can be told without a cluster.
// No probe is a valid one.
func (s *Spec) Validate(path *field.Path) field.ErrorList {
	if s == nil {
		return nil
	}
	problems := fields.Positive(path.Child("timeout"), s.Timeout)
	switch {
	case (s.Exec == nil) == (s.HTTP == nil):
		return append(problems, field.Required(path, "set one of exec, http"))
	case s.Exec != nil:
		return append(problems, s.Exec.validate(path.Child("exec"))...)
	default:
		return append(problems, s.HTTP.validate(path.Child("http"))...)
	}
}

func (e *Exec) validate(path *field.Path) field.ErrorList {
	problems := fields.Selector(path.Child("selector"), e.Selector)
	problems = append(problems, pattern(path.Child("expect"), e.Expect)...)
	if len(e.Command) == 0 || e.Command[0] == "" {
		problems = append(problems, field.Required(path.Child("command"), `for example ["pg_isready"]`))
	}
	if e.Container != "" {
		problems = append(problems, fields.Label(path.Child("container"), e.Container)...)
	}
	return problems
}

func (h *HTTP) validate(path *field.Path) field.ErrorList {
	problems := fields.Selector(path.Child("selector"), h.Selector)
	problems = append(problems, pattern(path.Child("expect"), h.Expect)...)
	if h.Port < 1 || h.Port > 65535 {
		problems = append(problems, field.Invalid(path.Child("port"), h.Port, "must be from 1 to 65535"))
	}
	if _, err := h.target(); err != nil {
		problems = append(problems, field.Invalid(path.Child("path"), h.Path, err.Error()))
	}
	return problems
}

func pattern(path *field.Path, text string) field.ErrorList {
	if _, err := regexp.Compile(text); err != nil {
		return field.ErrorList{field.Invalid(path, text, err.Error())}
	}
	return nil
}
