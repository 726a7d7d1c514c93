// Package climbtest tells made-up climbs to the judges of backups.
package climbtest

import (
	"encoding/json"
	"time"

	"gameday.dev/gameday/internal/journal"
)

// Step is the name of the step that climbs.
const Step = "comes-back"

// Night is when all of it happens.
func Night() time.Time { return time.Date(2026, 5, 12, 2, 0, 0, 0, time.UTC) }

// Story is a climb as a record has it.
type Story []journal.Event

// Tell is one event of a story.
func Tell(kind string, payload any) journal.Event {
	data, err := json.Marshal(payload)
	if err != nil {
		panic(err) // a test has made up what JSON does not have
	}
	return journal.Event{Version: 1, Time: Night(), Kind: kind, Step: Step, Data: data}
}

// Record numbers the events.
func (s Story) Record() *journal.Record {
	for i := range s {
		s[i].Seq = int64(i + 1)
	}
	return journal.NewRecord(s)
}

// Recorder keeps what a real climb tells.
type Recorder struct{ Story Story }

var _ journal.Recorder = (*Recorder)(nil)

// Record implements journal.Recorder.
func (r *Recorder) Record(kind string, payload any) { r.Story = append(r.Story, Tell(kind, payload)) }
