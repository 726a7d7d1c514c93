package veleroschedules

import (
	"time"

	"gameday.dev/gameday/internal/velero"
)

// eventLook is a look at Velero's resources: the first, each that differs from
// the one before, and the one at the end, which is what counts.
const eventLook = "backups.schedules" // payload lookEvent

// lookEvent is what Velero's namespace held. What a missing field would say in
// favour of a backup has a word or a pointer of its own, so that a record that
// has lost it is told from one in which it was so.
type lookEvent struct {
	// At is this machine's clock, which the rest of the record is dated by.
	At time.Time `json:"at"`
	// ServerTime is the API server's clock, by which ages are told. When it
	// could not be had, ClockUnknown says why.
	ServerTime   time.Time `json:"serverTime,omitzero"`
	ClockUnknown string    `json:"clockUnknown,omitempty"`
	Namespace    string    `json:"namespace"`
	// Problem is why nothing could be seen; the rest is then empty.
	Problem string `json:"problem,omitempty"`
	// Found is how many Schedules were found of those that are asked for.
	Found     *int           `json:"found,omitempty"`
	Schedules []scheduleSeen `json:"schedules,omitempty"`
	// Others are the names of Schedules that are not asked for, the first few.
	Others []string `json:"others,omitempty"`
	// Orphans are the first few names of Schedules that are no longer there
	// and whose backups are.
	Orphans   []orphan       `json:"orphans,omitempty"`
	Locations []locationSeen `json:"locations,omitempty"`
	// Final says that the run was over.
	Final bool `json:"final,omitempty"`
}

// scheduleSeen is one Schedule.
type scheduleSeen struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Cron    string    `json:"cron"`
	Paused  *bool     `json:"paused"`
	// Phase is New where Velero has written none yet.
	Phase string `json:"phase"`
	// Why are the first of its validation errors.
	Why string `json:"why,omitempty"`
	// LastBackup is when Velero last began one by it.
	LastBackup time.Time `json:"lastBackup,omitzero"`
	// Location is where the next backup will be stored.
	Location string `json:"location"`
	// Kept is how many backups bear its label; Attempts are those that a
	// verdict may rest on, the newest first.
	Kept     int          `json:"kept"`
	Attempts []backupSeen `json:"attempts,omitempty"`
	// Later counts the backups by phase that have ended after the newest that
	// counts began.
	Later map[string]int `json:"later,omitempty"`
	// NotCounted counts Completed backups by why they don't count.
	NotCounted map[string]int `json:"notCounted,omitempty"`
}

// backupSeen is one backup.
type backupSeen struct {
	Name string `json:"name"`
	// Phase is New where Velero has written none yet, and Deleting from when
	// its deletion is asked for.
	Phase string `json:"phase"`
	// Generation counts the changes of the resource: one that has ended and was
	// never changed came here whole.
	Generation int64     `json:"generation"`
	Created    time.Time `json:"created"`
	Started    time.Time `json:"started,omitzero"`
	Completed  time.Time `json:"completed,omitzero"`
	Expires    time.Time `json:"expires,omitzero"`
	Location   string    `json:"location"`
	// Items is how many are in it; nil when that is not told.
	Items    *int `json:"items,omitempty"`
	Warnings int  `json:"warnings,omitempty"`
	Errors   int  `json:"errors,omitempty"`
	// Why is its failureReason, or the first of its validation errors.
	Why string `json:"why,omitempty"`
	// Namespaces are those it was to hold, and Scope is the beginning of a hash
	// over all that says what it was to hold.
	Namespaces string `json:"namespaces,omitempty"`
	Scope      string `json:"scope,omitempty"`
}

// locationSeen is one BackupStorageLocation.
type locationSeen struct {
	Name   string `json:"name"`
	Phase  string `json:"phase"`  // none where Velero has written none yet
	Access string `json:"access"` // ReadWrite or ReadOnly
	Why    string `json:"why,omitempty"`
	// Validated is when Velero last tried to reach it, and Every how often it
	// does: a duration, disabled, or default for what the server's flag says.
	Validated time.Time `json:"validated,omitzero"`
	Every     string    `json:"every"`
}

// orphan is a Schedule that its backups have outlived.
type orphan struct {
	Name string `json:"name"`
	Kept int    `json:"kept"`
}

// clocksApart is how far two clocks may be apart before what they say of one
// another is not believed.
const clocksApart = velero.ClocksApart

// now is the moment that ages count up to.
func (l lookEvent) now() time.Time {
	if l.ServerTime.IsZero() {
		return l.At
	}
	return l.ServerTime
}
