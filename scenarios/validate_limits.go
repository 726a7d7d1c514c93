package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// pastLimits is the origin of problems of a document that is well formed but
// goes past its own limits.
const pastLimits = "limits"

// validate holds the limits of a scenario that touches the cluster to more
// than those of one that only proves something.
func (l *Limits) validate(path *field.Path, touches bool) field.ErrorList {
	var problems field.ErrorList
	if len(l.Namespaces) == 0 && touches {
		problems = append(problems, field.Required(path.Child("namespaces"), "list the namespaces that faults may touch"))
	}
	for i, namespace := range l.Namespaces {
		problems = append(problems, fields.Label(path.Child("namespaces").Index(i), namespace)...)
	}
	problems = append(problems, fields.Share(path.Child("maxPods"), l.MaxPods)...)
	if l.MaxNodes != nil && *l.MaxNodes < 0 {
		problems = append(problems, field.Invalid(path.Child("maxNodes"), *l.MaxNodes, "must not be negative"))
	}
	if l.Window != nil {
		problems = append(problems, l.Window.validate(path.Child("window"))...)
	}
	return problems
}

// allow finds a namespace that the limits do not list. A run refuses it too,
// at plan time; here it is found without a cluster.
func (l *Limits) allow(path *field.Path, namespace string) field.ErrorList {
	unknown := namespace == "" || len(l.Namespaces) == 0 || slices.Contains(l.Namespaces, "")
	if unknown || slices.Contains(l.Namespaces, namespace) {
		return nil
	}
	problem := field.Forbidden(path, fmt.Sprintf("%q is not in spec.limits.namespaces (%s)", namespace, strings.Join(l.Namespaces, ", ")))
	return field.ErrorList{problem.WithOrigin(pastLimits)}
}

func (w *Window) validate(path *field.Path) field.ErrorList {
	var problems field.ErrorList
	for i, day := range w.Days {
		if !slices.Contains(weekdays(), day) {
			problems = append(problems, field.NotSupported(path.Child("days").Index(i), day, weekdays()))
		}
	}
	if w.From != "" || w.To != "" {
		problems = append(problems, validateClock(path.Child("from"), w.From)...)
		problems = append(problems, validateClock(path.Child("to"), w.To)...)
	}
	if w.From != "" && w.From == w.To {
		problems = append(problems, field.Invalid(path.Child("to"), w.To, "is the same as from; leave both out for the whole day"))
	}
	if _, err := loadZone(w.zoneName()); err != nil {
		problems = append(problems, field.Invalid(path.Child("timeZone"), w.TimeZone, err.Error()))
	}
	return problems
}

func validateClock(path *field.Path, text string) field.ErrorList {
	if text == "" {
		return field.ErrorList{field.Required(path, `for example "09:30"`)}
	}
	if _, err := parseClock(text); err != nil {
		return field.ErrorList{field.Invalid(path, text, `must be a time of day like "09:30"`)}
	}
	return nil
}
