package velero

import (
	"fmt"
	pathpkg "path"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// leastCleanup is what deleting an empty namespace may take; mostCleanup leaves the
// run's own budget for undoing something over.
const (
	leastCleanup = 10 * time.Second
	mostCleanup  = 4 * time.Minute
)

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
		if len(validation.IsDNS1123Subdomain(resource)) > 0 {
			problems = append(problems, field.Invalid(path.Child("exclude").Index(i), resource, "must be a resource by its plural, with its group: configmaps, jobs.batch, widgets.example.com"))
		}
	}
	if s.Probe != nil && !s.Start {
		problems = append(problems, field.Forbidden(path.Child("probe"), "needs start: true: nothing that was not started can answer"))
	}
	problems = append(problems, s.Probe.Validate(path.Child("probe"))...)
	problems = append(problems, s.Volumes.validate(path.Child("volumes"))...)
	problems = append(problems, s.Canary.validate(path.Child("canary"))...)
	problems = append(problems, s.Objectives.Validate(path.Child("objectives"))...)
	problems = append(problems, fields.Positive(path.Child("timeout"), s.Timeout)...)
	switch cleanup := orDefault(s.CleanupTimeout, defaultCleanupTimeout); {
	case cleanup < leastCleanup:
		problems = append(problems, field.Invalid(path.Child("cleanupTimeout"), cleanup.String(), fmt.Sprintf("must be at least %s: no namespace is deleted at once", leastCleanup)))
	case cleanup > mostCleanup:
		problems = append(problems, field.Invalid(path.Child("cleanupTimeout"), cleanup.String(), fmt.Sprintf("must be at most %s: that is what undoing a run may take", mostCleanup)))
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
		if slices.Contains(s.Namespaces[:i], namespace) {
			problems = append(problems, field.Duplicate(path.Child("namespaces").Index(i), namespace))
		}
	}
	problems = append(problems, nameOf(path.Child("name"), s.Name)...)
	problems = append(problems, nameOf(path.Child("schedule"), s.Schedule)...)
	problems = append(problems, nameOf(path.Child("storageLocation"), s.StorageLocation)...)
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

func (v Volumes) validate(path *field.Path) field.ErrorList {
	var problems field.ErrorList
	for i, name := range v.Ignore {
		problems = append(problems, fields.Subdomain(path.Child("ignore").Index(i), name)...)
	}
	// It is mounted on nodes as it is written.
	if root := v.KubeletRoot; root != "" && (!pathpkg.IsAbs(root) || pathpkg.Clean(root) != root || root == "/") {
		problems = append(problems, field.Invalid(path.Child("kubeletRoot"), root, "must be an absolute path without . or .., like /var/lib/kubelet"))
	}
	return problems
}

func (c *Canary) validate(path *field.Path) field.ErrorList {
	if c == nil {
		return nil
	}
	problems := fields.Subdomain(path.Child("configMap"), c.ConfigMap)
	if len(validation.IsConfigMapKey(c.Key)) > 0 {
		problems = append(problems, field.Invalid(path.Child("key"), c.Key, "must be the key of a ConfigMap that holds the moment: letters, digits, -, _ and dots"))
	}
	return problems
}

// nameOf holds the name of an object where there need not be one.
func nameOf(path *field.Path, name string) field.ErrorList {
	if name == "" {
		return nil
	}
	return fields.Subdomain(path, name)
}
