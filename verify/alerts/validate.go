package alerts

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// Validate reports everything about the check that can be told without a
// cluster. Whether the steps it names exist is the scenario's to say.
func (s *Spec) Validate(path *field.Path) field.ErrorList {
	var problems field.ErrorList
	if len(s.Expect) == 0 && len(s.Forbid) == 0 {
		problems = append(problems, field.Required(path.Child("expect"),
			"without an alert to expect or to forbid the check proves nothing"))
	}
	for i := range s.Expect {
		problems = append(problems, s.Expect[i].validate(path.Child("expect").Index(i))...)
	}
	for i := range s.Forbid {
		problems = append(problems, s.Forbid[i].validate(path.Child("forbid").Index(i))...)
	}
	return problems
}

func (e *Expectation) validate(path *field.Path) field.ErrorList {
	problems := validateAlert(path, e.Alert, e.Labels)
	if e.Step == "" {
		problems = append(problems, field.Required(path.Child("step"), "name the step that the alert answers"))
	}
	if e.Within.Duration == 0 {
		problems = append(problems, field.Required(path.Child("within"), ""))
	} else {
		problems = append(problems, fields.Positive(path.Child("within"), &e.Within)...)
	}
	problems = append(problems, fields.Positive(path.Child("resolvesWithin"), e.ResolvesWithin)...)
	return append(problems, fields.OneOf(path.Child("proof"), e.Proof,
		ProofFiring, ProofRouted, ProofNotified, ProofDelivered)...)
}

// validate allows a prohibition without alert or labels: it forbids every
// alert that starts firing because of the run.
func (p *Prohibition) validate(path *field.Path) field.ErrorList {
	problems := validateLabels(path.Child("labels"), p.Labels)
	for i, except := range p.Except {
		path := path.Child("except").Index(i)
		problems = append(problems, validateAlert(path, except.Alert, except.Labels)...)
		if strings.TrimSpace(except.Reason) == "" {
			problems = append(problems, field.Required(path.Child("reason"), "an allowance without a reason is forgotten"))
		}
	}
	return problems
}

func validateAlert(path *field.Path, alert string, labels map[string]string) field.ErrorList {
	var problems field.ErrorList
	if alert == "" {
		problems = append(problems, field.Required(path.Child("alert"), ""))
	}
	return append(problems, validateLabels(path.Child("labels"), labels)...)
}

// validateLabels refuses the two labels that Prometheus itself sets on ALERTS:
// asked for as labels they would contradict alert and proof.
func validateLabels(path *field.Path, labels map[string]string) field.ErrorList {
	var problems field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		switch name {
		case "":
			problems = append(problems, field.Invalid(path, name, "a label needs a name"))
		case "alertname":
			problems = append(problems, field.Invalid(path.Key(name), labels[name], "name the alert in the field alert"))
		case "alertstate":
			problems = append(problems, field.Invalid(path.Key(name), labels[name], "only firing alerts count; see proof"))
		}
	}
	return problems
}
