package backups

import (
	"cmp"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/snapshots"
	"gameday.dev/gameday/verify"
)

// history is what the record holds for this check.
type history struct {
	timeline verify.Timeline
	// first and final are looks; nil when there was none.
	first, final *lookEvent
	// failure is why the observer ended early, empty when it did not.
	failure string
}

// readHistory reads the record without weighing it.
func readHistory(record *journal.Record, check string) (*history, error) {
	timeline, err := verify.ReadTimeline(record)
	if err != nil {
		return nil, err
	}
	h := &history{timeline: timeline}
	for event := range record.OfCheck(check) {
		switch event.Kind {
		case eventLook:
			var look lookEvent
			if err := event.Decode(&look); err != nil {
				return nil, err
			}
			if h.first == nil {
				h.first = &look
			}
			// What is written after the last look was no last look.
			h.final = nil
			if look.Final {
				h.final = &look
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

// damaged says what a look lacks that every look has.
func (l *lookEvent) damaged() string {
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
