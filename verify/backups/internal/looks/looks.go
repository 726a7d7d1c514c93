// Package looks finds in a record what the observers of backups saw: they look
// when the run begins, now and again, and once more when it is over.
package looks

import (
	"cmp"
	"fmt"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// Look is one look at backups, as it stands in the record.
type Look interface {
	// Moment is when it was, by the clock of the machine that wrote the record.
	Moment() time.Time
	// Trouble is why nothing could be seen, empty when something was.
	Trouble() string
	// Damage is what the record of it lacks, empty when it is whole.
	Damage() string
	// IsFinal says that the run was over.
	IsFinal() bool
}

// First gives the first look of a check, or why it tells nothing. what is what
// was looked at.
func First[L Look](record *journal.Record, check, kind, what string) (look L, cannotTell string) {
	seen, err := read[L](record, check, kind)
	switch {
	case err != nil:
		return look, err.Error()
	case seen.failure != "":
		return look, "the observer failed: " + seen.failure
	case seen.first == nil:
		return look, fmt.Sprintf("nobody has looked at %s yet", what)
	}
	return *seen.first, cmp.Or((*seen.first).Trouble(), (*seen.first).Damage())
}

// Last gives the look that counts, which is the one after the faults, or why
// nothing can be told.
func Last[L Look](record *journal.Record, check, kind, what string) (look L, cannotTell string) {
	seen, err := read[L](record, check, kind)
	switch {
	case err != nil:
		return look, err.Error()
	case seen.failure != "":
		return look, "the observer failed: " + seen.failure
	case seen.last == nil:
		return look, fmt.Sprintf("nobody looked at %s at the end of the run", what)
	case (*seen.last).Moment().Before(seen.settling):
		return look, fmt.Sprintf("the last look at %s was before the faults had ended", what)
	}
	return *seen.last, cmp.Or((*seen.last).Trouble(), (*seen.last).Damage())
}

// history is what the record holds for a check.
type history[L Look] struct {
	settling time.Time // every fault was undone
	// first and last are looks; nil when there was none.
	first, last *L
	// failure is why the observer ended early, empty when it did not.
	failure string
}

// read reads the record without weighing it.
func read[L Look](record *journal.Record, check, kind string) (*history[L], error) {
	timeline, err := verify.ReadTimeline(record)
	if err != nil {
		return nil, err
	}
	h := &history[L]{settling: timeline.Settling}
	for event := range record.OfCheck(check) {
		switch event.Kind {
		case kind:
			var look L
			if err := event.Decode(&look); err != nil {
				return nil, err
			}
			if h.first == nil {
				h.first = &look
			}
			// What is written after the last look was no last look.
			h.last = nil
			if look.IsFinal() {
				h.last = &look
			}
		case journal.ObserverFailed:
			var reason journal.Reason
			if err := event.Decode(&reason); err != nil {
				return nil, err
			}
			h.failure = cmp.Or(reason.Reason, "for no reason told")
		}
	}
	return h, nil
}
