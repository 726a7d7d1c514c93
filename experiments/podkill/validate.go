package podkill

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// Validate reports everything about the step that can be told without a
// cluster. Whether limits allow its namespace is the scenario's to say.
func (s *Spec) Validate(path *field.Path) field.ErrorList {
	problems := fields.Label(path.Child("namespace"), s.Namespace)
	problems = append(problems, fields.Selector(path.Child("selector"), s.Selector)...)
	if strings.TrimSpace(s.Exclude) != "" {
		problems = append(problems, fields.Selector(path.Child("exclude"), s.Exclude)...)
	}
	problems = append(problems, fields.Count(path.Child("count"), s.Count)...)
	problems = append(problems, fields.OneOf(path.Child("method"), s.Method, MethodDelete, MethodEvict)...)
	problems = append(problems, fields.NotNegative(path.Child("gracePeriod"), s.GracePeriod)...)
	problems = append(problems, fields.Positive(path.Child("timeout"), s.Timeout)...)
	return append(problems, s.validateExpect(path)...)
}

// validateExpect refuses a promise that could not be kept: a delete asks no
// budget, so none can hold it.
func (s *Spec) validateExpect(path *field.Path) field.ErrorList {
	problems := fields.OneOf(path.Child("expect"), s.Expect, "done", "blocked")
	if s.Expect == "blocked" && s.Method != MethodEvict {
		problems = append(problems, field.Invalid(path.Child("expect"), s.Expect,
			"only method evict can be held back by a PodDisruptionBudget"))
	}
	return problems
}
