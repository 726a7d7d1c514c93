package velero

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// mostCleanup leaves the run's own budget for undoing something over.
const mostCleanup = 4 * time.Minute

// Validate reports everything about the step that can be told without a cluster.
func (s *Restore) Validate(path *field.Path) field.ErrorList {
	problems := s.Backup.validate(path.Child("backup"))
	if s.Namespace != "" {
		problems = append(problems, fields.Label(path.Child("namespace"), s.Namespace)...)
	}
	problems = append(problems, s.validateInto(path.Child("into"))...)
	if len(s.Backup.Namespaces) > 1 && s.Namespace == "" {
		problems = append(problems, field.Required(path.Child("namespace"), "say which of backup.namespaces is restored"))
	}
	if s.isNew() && s.Namespace != "" && !slices.Contains(s.Backup.Namespaces, s.Namespace) {
		problems = append(problems, field.Forbidden(path.Child("namespace"), fmt.Sprintf("%q is not in backup.namespaces", s.Namespace)))
	}
	problems = append(problems, fields.OneOf(path.Child("network"), s.Network, networkIsolated, networkOpen)...)
	if s.ExistingResourcePolicy != "" && s.ExistingResourcePolicy != "none" {
		problems = append(problems, field.Forbidden(path.Child("existingResourcePolicy"),
			"only none is taken: update would overwrite objects that are there, and a restore that overwrites proves nothing"))
	}
	for i, resource := range s.Exclude {
		if resource == "" || strings.ContainsAny(resource, "*/ ") {
			problems = append(problems, field.Invalid(path.Child("exclude").Index(i), resource, "must be a resource like widgets.example.com"))
		}
	}
	problems = append(problems, s.Probe.validate(path.Child("probe"), s.Start)...)
	if s.Canary != nil {
		problems = append(problems, required(path.Child("canary", "configMap"), s.Canary.ConfigMap, "the ConfigMap that is written to")...)
		problems = append(problems, required(path.Child("canary", "key"), s.Canary.Key, "the key that holds the moment")...)
	}
	problems = append(problems, s.Objectives.Validate(path.Child("objectives"))...)
	problems = append(problems, fields.Positive(path.Child("timeout"), s.Timeout)...)
	problems = append(problems, fields.Positive(path.Child("cleanupTimeout"), s.CleanupTimeout)...)
	if s.CleanupTimeout != nil && s.CleanupTimeout.Duration > mostCleanup {
		problems = append(problems, field.Invalid(path.Child("cleanupTimeout"), s.CleanupTimeout.Duration.String(), fmt.Sprintf("must be at most %s: that is what undoing a run may take", mostCleanup)))
	}
	return problems
}

func (s *Source) validate(path *field.Path) field.ErrorList {
	set := 0
	for _, given := range []bool{len(s.Namespaces) > 0, s.Name != "", s.Schedule != ""} {
		if given {
			set++
		}
	}
	switch {
	case set == 0:
		return field.ErrorList{field.Required(path, "set one of namespaces (backed up now), name, schedule")}
	case set > 1:
		return field.ErrorList{field.Forbidden(path, "namespaces, name and schedule exclude each other")}
	}
	var problems field.ErrorList
	for i, namespace := range s.Namespaces {
		problems = append(problems, fields.Label(path.Child("namespaces").Index(i), namespace)...)
	}
	if len(s.Namespaces) == 0 {
		if s.StorageLocation != "" {
			problems = append(problems, field.Forbidden(path.Child("storageLocation"), "is for a backup taken now; this one is where it is"))
		}
		if s.DefaultVolumesToFsBackup != nil {
			problems = append(problems, field.Forbidden(path.Child("defaultVolumesToFsBackup"), "is for a backup taken now; this one is taken already"))
		}
	}
	return problems
}

// validateInto keeps a step from a namespace that is somebody's.
func (s *Restore) validateInto(path *field.Path) field.ErrorList {
	problems := fields.Label(path, s.Into)
	switch {
	case len(problems) > 0:
	case s.Into == s.Namespace || slices.Contains(s.Backup.Namespaces, s.Into):
		problems = append(problems, field.Forbidden(path, fmt.Sprintf("%q is the original: a drill restores beside it", s.Into)))
	case strings.HasPrefix(s.Into, "kube-") || slices.Contains([]string{"default", "velero", "gameday"}, s.Into):
		problems = append(problems, field.Forbidden(path, fmt.Sprintf("%q is no scratch namespace: it would be deleted", s.Into)))
	}
	return problems
}

func (p *Probe) validate(path *field.Path, start bool) field.ErrorList {
	if p == nil {
		return nil
	}
	problems := fields.Positive(path.Child("timeout"), p.Timeout)
	if !start {
		problems = append(problems, field.Forbidden(path, "needs start: true: nothing that was not started can answer"))
	}
	switch {
	case (p.Exec == nil) == (p.HTTP == nil):
		return append(problems, field.Required(path, "set one of exec, http"))
	case p.Exec != nil:
		path := path.Child("exec")
		problems = append(problems, fields.Selector(path.Child("selector"), p.Exec.Selector)...)
		problems = append(problems, pattern(path.Child("expect"), p.Exec.Expect)...)
		if len(p.Exec.Command) == 0 {
			problems = append(problems, field.Required(path.Child("command"), `for example ["pg_isready"]`))
		}
	default:
		path := path.Child("http")
		problems = append(problems, fields.Selector(path.Child("selector"), p.HTTP.Selector)...)
		problems = append(problems, pattern(path.Child("expect"), p.HTTP.Expect)...)
		if p.HTTP.Port < 1 || p.HTTP.Port > 65535 {
			problems = append(problems, field.Invalid(path.Child("port"), p.HTTP.Port, "must be from 1 to 65535"))
		}
		if _, err := p.HTTP.target(); err != nil {
			problems = append(problems, field.Invalid(path.Child("path"), p.HTTP.Path, err.Error()))
		}
	}
	return problems
}

func required(path *field.Path, value, what string) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(path, what)}
	}
	return nil
}

func pattern(path *field.Path, text string) field.ErrorList {
	if _, err := regexp.Compile(text); err != nil {
		return field.ErrorList{field.Invalid(path, text, err.Error())}
	}
	return nil
}
