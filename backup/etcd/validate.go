package etcd

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// Validate reports everything about the step that can be told without a cluster.
func (s *Restore) Validate(path *field.Path) field.ErrorList {
	problems := fields.OneOf(path.Child("level"), s.Level, rungs()...)
	problems = append(problems, s.From.validate(path.Child("from"))...)
	if s.From != nil && s.Level == rungSnapshot {
		problems = append(problems, field.Forbidden(path.Child("level"), "level snapshot reads nothing of a file that is there: use integrity or above"))
	}
	problems = append(problems, fields.OneOf(path.Child("afterCompaction"), s.AfterCompaction, Inconclusive, CompareUnchanged)...)
	problems = append(problems, s.validateObjectives(path.Child("objectives"))...)
	return append(problems, fields.Positive(path.Child("timeout"), s.Timeout)...)
}

// validateObjectives refuses objectives that the level could never tell.
func (s *Restore) validateObjectives(path *field.Path) field.ErrorList {
	if s.Objectives == nil {
		return nil
	}
	problems := s.Objectives.Validate(path)
	reaches := func(rung string) bool { return slices.Index(rungs(), s.level()) >= slices.Index(rungs(), rung) }
	if s.Objectives.RPO != nil && !reaches(rungIntegrity) {
		problems = append(problems, field.Forbidden(path.Child("rpo"), "needs level integrity or above: the age of a snapshot is read from its content"))
	}
	if s.Objectives.RTO != nil && !reaches(rungServe) {
		problems = append(problems, field.Forbidden(path.Child("rto"), "needs level serve or above: a recovery ends when something serves"))
	}
	return problems
}

func (s *Source) validate(path *field.Path) field.ErrorList {
	if s == nil {
		return nil
	}
	set := 0
	for _, given := range []bool{s.File != "", s.Directory != "", s.Newest} {
		if given {
			set++
		}
	}
	switch set {
	case 0:
		return field.ErrorList{field.Required(path, "set one of file, directory, newest; leave from out to take a snapshot now")}
	case 1:
		return nil
	default:
		return field.ErrorList{field.Forbidden(path, "file, directory and newest exclude each other")}
	}
}

// Validate reports everything about the step that can be told without a cluster.
func (s *Snapshot) Validate(path *field.Path) field.ErrorList {
	var problems field.ErrorList
	if s.Keep != nil && *s.Keep < 1 {
		problems = append(problems, field.Invalid(path.Child("keep"), *s.Keep, "must be at least 1: the new snapshot is one of them"))
	}
	return append(problems, fields.Positive(path.Child("timeout"), s.Timeout)...)
}
