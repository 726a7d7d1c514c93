package veleroschedules

import (
	"cmp"
	"slices"
	"time"
)

// lookedAt is what the looks are at, in a sentence.
const lookedAt = "the Schedules"

// Moment is when Velero's namespace was looked at.
func (l lookEvent) Moment() time.Time { return l.At }

// IsFinal says that the run was over.
func (l lookEvent) IsFinal() bool { return l.Final }

// Trouble is why nothing could be seen.
func (l lookEvent) Trouble() string { return l.Problem }

// Damage says what a look lacks that every look has.
func (l lookEvent) Damage() string {
	switch {
	case l.At.IsZero() || l.Namespace == "" || l.Found == nil || l.ServerTime.IsZero() == (l.ClockUnknown == ""):
		return "the record of the look at Velero is damaged"
	case *l.Found != len(l.Schedules):
		return "the record of the look counts other Schedules than it names"
	case !slices.IsSortedFunc(l.Schedules, func(a, b scheduleSeen) int { return cmp.Compare(a.Name, b.Name) }):
		return "the record holds the Schedules in another order"
	}
	for _, location := range l.Locations {
		if location.Name == "" || location.Phase == "" || location.Access == "" || location.interval() < 0 {
			return "the record of a storage location is damaged"
		}
	}
	for _, schedule := range l.Schedules {
		if why := schedule.damage(); why != "" {
			return why
		}
	}
	return ""
}

func (s scheduleSeen) damage() string {
	switch {
	case s.Name == "" || s.Created.IsZero() || s.Paused == nil || s.Phase == "" || s.Location == "",
		s.Kept < len(s.Attempts), s.Kept > len(s.Attempts) && len(s.Attempts) < fewAttempts:
		return "the record of a Schedule is damaged"
	case !slices.IsSortedFunc(s.Attempts, func(a, b backupSeen) int { return b.moment().Compare(a.moment()) }):
		return "the record holds the backups of a Schedule in another order"
	}
	for _, b := range s.Attempts {
		if b.Name == "" || b.Phase == "" || b.Created.IsZero() || b.Generation < 1 {
			return "the record of a backup is damaged"
		}
	}
	return ""
}
