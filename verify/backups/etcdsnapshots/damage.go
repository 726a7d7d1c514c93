package etcdsnapshots

import (
	"time"

	"gameday.dev/gameday/internal/snapshots"
)

// Moment is when the directory was looked at.
func (l lookEvent) Moment() time.Time { return l.At }

// IsFinal says that the run was over.
func (l lookEvent) IsFinal() bool { return l.Final }

// Trouble is why the directory could not be looked at.
func (l lookEvent) Trouble() string { return l.Problem }

// Damage says what a look lacks that every look has.
func (l lookEvent) Damage() string {
	switch {
	case l.At.IsZero() || l.Directory == "":
		return "the record of the look at the snapshots is damaged"
	case l.Counted != len(l.Newest) && (l.Counted < len(l.Newest) || len(l.Newest) < fewNewest):
		return "the record of the look counts other snapshots than it names"
	case l.NotCounted < len(l.Others):
		return "the record of the look counts other files than it names"
	}
	for i, seen := range l.Newest {
		at, _ := seen.since()
		switch {
		case seen.Name == "" || seen.Modified.IsZero() || seen.Size <= 0 || !seen.Taken.Equal(snapshots.TakenAt(seen.Name)),
			seen.Content.IsZero() == (seen.ContentUnknown == ""), seen.Content.IsZero() != (seen.ContentSource == ""):
			return "the record of a snapshot is damaged"
		case at.After(l.At.Add(clocksApart)):
			return "the record holds a snapshot from the future: " + seen.Name
		case i > 0 && at.After(when(l.Newest[i-1])):
			return "the record holds the snapshots in another order"
		}
	}
	return ""
}
