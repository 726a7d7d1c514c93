package etcdsnapshots

import (
	"time"
)

// eventLook is a look at the directory: the first, each that differs from the
// one before, and the one at the end, which is what counts.
const eventLook = "backups.look" // payload lookEvent

// lookEvent is what was in the directory.
type lookEvent struct {
	At        time.Time `json:"at"`
	Directory string    `json:"directory"`
	// Problem is why the directory could not be looked at; the rest is then empty.
	Problem string `json:"problem,omitempty"`
	// Counted is how many files are snapshots; Newest are the first few of
	// them, the youngest first.
	Counted int            `json:"counted"`
	Newest  []snapshotSeen `json:"newest,omitempty"`
	// NotCounted is how many files are named like snapshots and are none;
	// Others are the first few of them.
	NotCounted int         `json:"notCounted,omitempty"`
	Others     []otherSeen `json:"others,omitempty"`
	// Final says that the run was over.
	Final bool `json:"final,omitempty"`
}

// snapshotSeen is one snapshot.
type snapshotSeen struct {
	Name     string    `json:"name"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	// Taken is from its name; zero when that is not one of gameday's.
	Taken time.Time `json:"taken,omitzero"`
	// Content is from what it holds, and ContentSource what spoke of it. When
	// nothing did, ContentUnknown says why.
	Content        time.Time `json:"content,omitzero"`
	ContentSource  string    `json:"contentSource,omitempty"`
	ContentUnknown string    `json:"contentUnknown,omitempty"`
	// Sum says what hashing it showed; empty when it was not hashed.
	Sum string `json:"sum,omitempty"`
}

// otherSeen is a file that is not counted.
type otherSeen struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// clocksApart is how far the clock that dated a snapshot may be ahead of this machine's.
const clocksApart = 2 * time.Minute

// since is the moment up to which a snapshot holds what happened: the oldest of
// what its name and its content say. When the file was written counts only where
// neither is known: copying an old snapshot makes a new file.
func (s snapshotSeen) since() (at time.Time, by string) {
	switch {
	case !s.Content.IsZero() && (s.Taken.IsZero() || !s.Taken.Before(s.Content)):
		return s.Content, s.ContentSource
	case !s.Taken.IsZero():
		return s.Taken, "its name"
	default:
		return s.Modified, "when the file was written"
	}
}
