package scenarios

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// Validate reports everything about the scenario that can be told without a
// cluster.
func (s *Scenario) Validate() field.ErrorList {
	path := field.NewPath("spec")
	problems := fields.Label(field.NewPath("metadata", "name"), s.Metadata.Name)
	problems = append(problems, fields.Positive(path.Child("timeout"), s.Spec.Timeout)...)
	problems = append(problems, s.Spec.Limits.validate(path.Child("limits"), s.touches())...)
	problems = append(problems, s.validateChecks(path.Child("checks"))...)
	problems = append(problems, s.validateSteps(path.Child("steps"))...)
	problems = append(problems, s.validateExpectedSteps(path.Child("checks"))...)
	problems = append(problems, s.validateScratch(path.Child("steps"))...)
	return append(problems, s.validateHolds(path)...)
}

func (s *Scenario) validateChecks(path *field.Path) field.ErrorList {
	if len(s.Spec.Checks) == 0 && !s.proves() {
		return field.ErrorList{field.Required(path, "a run without checks can prove nothing")}
	}
	var problems field.ErrorList
	seen := names{}
	for i := range s.Spec.Checks {
		check, path := &s.Spec.Checks[i], path.Index(i)
		problems = append(problems, seen.validate(path.Child("name"), check.Name)...)
		problems = append(problems, exactlyOne(path, check.kinds(), "availability, alerts, backups")...)
		if check.Availability != nil {
			problems = append(problems, check.Availability.Validate(path.Child("availability"))...)
		}
		if check.Alerts != nil {
			problems = append(problems, check.Alerts.Validate(path.Child("alerts"))...)
		}
		if check.Backups != nil {
			problems = append(problems, check.Backups.Validate(path.Child("backups"))...)
		}
	}
	return problems
}

// proves says whether a step proves something by itself.
func (s *Scenario) proves() bool {
	for step := range s.Faults() {
		if step.Proof() != nil {
			return true
		}
	}
	return false
}

// touches says whether a step may touch anything in the cluster.
func (s *Scenario) touches() bool {
	for step := range s.Faults() {
		if step.Proof() == nil {
			return true
		}
	}
	return len(s.Spec.Steps) == 0
}

func (s *Scenario) validateSteps(path *field.Path) field.ErrorList {
	if len(s.Spec.Steps) == 0 {
		return field.ErrorList{field.Required(path, "a run without steps breaks nothing")}
	}
	var problems field.ErrorList
	seen := names{}
	for i := range s.Spec.Steps {
		step, path := &s.Spec.Steps[i], path.Index(i)
		if step.Parallel == nil || step.Name != "" {
			problems = append(problems, seen.validate(path.Child("name"), step.Name)...)
		}
		problems = append(problems, s.validateStep(path, step)...)
		for j := range step.Parallel {
			member, path := &step.Parallel[j], path.Child("parallel").Index(j)
			problems = append(problems, seen.validate(path.Child("name"), member.Name)...)
			problems = append(problems, s.validateMember(path, member)...)
		}
	}
	return problems
}

func (s *Scenario) validateStep(path *field.Path, step *Step) field.ErrorList {
	problems := exactlyOne(path, step.kinds(), "podKill, nodeDrain, etcdSnapshot, etcdRestore, veleroRestore, parallel")
	problems = append(problems, fields.NotNegative(path.Child("hold"), step.Hold)...)
	if step.Parallel != nil && len(step.Parallel) == 0 {
		problems = append(problems, field.Required(path.Child("parallel"), "a group needs steps"))
	}
	if step.PodKill != nil {
		problems = append(problems, step.PodKill.Validate(path.Child("podKill"))...)
		problems = append(problems, s.Spec.Limits.allow(path.Child("podKill", "namespace"), step.PodKill.Namespace)...)
	}
	if step.NodeDrain != nil {
		problems = append(problems, step.NodeDrain.Validate(path.Child("nodeDrain"))...)
	}
	if step.EtcdSnapshot != nil {
		problems = append(problems, step.EtcdSnapshot.Validate(path.Child("etcdSnapshot"))...)
	}
	if step.EtcdRestore != nil {
		problems = append(problems, step.EtcdRestore.Validate(path.Child("etcdRestore"))...)
	}
	if step.VeleroRestore != nil {
		problems = append(problems, step.VeleroRestore.Validate(path.Child("veleroRestore"))...)
	}
	return problems
}

func (s *Scenario) validateMember(path *field.Path, member *Step) field.ErrorList {
	if member.Parallel != nil {
		return field.ErrorList{field.Forbidden(path.Child("parallel"), "groups do not nest")}
	}
	problems := s.validateStep(path, member)
	if member.Hold != nil {
		problems = append(problems, field.Forbidden(path.Child("hold"), "a group holds as one: set hold beside parallel"))
	}
	return problems
}

// validateExpectedSteps holds alerts to steps that exist: an alert that
// answers a misspelt step would never be looked for.
func (s *Scenario) validateExpectedSteps(path *field.Path) field.ErrorList {
	var known []string
	for step := range s.Faults() {
		if step.Name != "" && !slices.Contains(known, step.Name) {
			known = append(known, step.Name)
		}
	}
	var problems field.ErrorList
	for i, check := range s.Spec.Checks {
		if check.Alerts == nil {
			continue
		}
		for j, expected := range check.Alerts.Expect {
			if expected.Step != "" && !slices.Contains(known, expected.Step) {
				path := path.Index(i).Child("alerts", "expect").Index(j).Child("step")
				problems = append(problems, field.NotSupported(path, expected.Step, known))
			}
		}
	}
	return problems
}

// validateScratch refuses two restores into one scratch namespace: the first one's
// stays until the run is undone.
func (s *Scenario) validateScratch(path *field.Path) field.ErrorList {
	var problems field.ErrorList
	taken := map[string]bool{}
	check := func(path *field.Path, step *Step) {
		if step.VeleroRestore == nil || step.VeleroRestore.Into == "" {
			return
		}
		if into := step.VeleroRestore.Into; taken[into] {
			problems = append(problems, field.Duplicate(path.Child("veleroRestore", "into"), into))
		} else {
			taken[into] = true
		}
	}
	for i := range s.Spec.Steps {
		check(path.Index(i), &s.Spec.Steps[i])
		for j := range s.Spec.Steps[i].Parallel {
			check(path.Index(i).Child("parallel").Index(j), &s.Spec.Steps[i].Parallel[j])
		}
	}
	return problems
}

// validateHolds refuses a timeout that the holds alone use up: such a run can
// only ever be cut short.
func (s *Scenario) validateHolds(path *field.Path) field.ErrorList {
	var holds time.Duration
	for _, step := range s.Spec.Steps {
		if step.Hold != nil {
			holds += step.Hold.Duration
		}
	}
	if timeout := s.Timeout(); timeout > 0 && holds >= timeout {
		return field.ErrorList{field.Invalid(path.Child("timeout"), timeout.String(),
			fmt.Sprintf("the steps hold for %s in all, which leaves no time for the rest", holds))}
	}
	return nil
}

// names are those used so far.
type names map[string]bool

func (n names) validate(path *field.Path, name string) field.ErrorList {
	if n[name] && name != "" {
		return field.ErrorList{field.Duplicate(path, name)}
	}
	n[name] = true
	return fields.Label(path, name)
}
