// Package lookstest is what the tests of several kinds of backups share: a
// journal in memory, recordings, and damage to them.
package lookstest

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"gameday.dev/gameday/internal/journal"
)

// Memory is a journal without a file, in which one check writes.
type Memory struct {
	t      *testing.T
	check  string
	mu     sync.Mutex
	events []journal.Event
}

// NewMemory makes one for the check called check.
func NewMemory(t *testing.T, check string) *Memory { return &Memory{t: t, check: check} }

// Record writes for the check.
func (m *Memory) Record(kind string, payload any) {
	data, err := json.Marshal(payload)
	if err != nil {
		m.t.Error(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, journal.Event{
		Version: journal.Version, Seq: int64(len(m.events)) + 1, Time: time.Now().UTC(), Kind: kind, Check: m.check, Data: data,
	})
}

// Journal is what was written so far.
func (m *Memory) Journal() *journal.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return journal.NewRecord(slices.Clone(m.events))
}

// Looks are the payloads that were written so far.
func Looks[L any](m *Memory) []L {
	var looks []L
	for event := range m.Journal().OfCheck(m.check) {
		var look L
		if err := event.Decode(&look); err != nil {
			m.t.Error(err)
		}
		looks = append(looks, look)
	}
	return looks
}

// Recording reads a recording of the package under test by its name.
func Recording(t testing.TB, name string) *journal.Record {
	t.Helper()
	record, err := journal.Read(filepath.Join("testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// Numbered numbers events anew, so that a mutation doesn't show as a hole.
func Numbered(events []journal.Event) *journal.Record {
	events = slices.Clone(events)
	for i := range events {
		events[i].Seq = int64(i) + 1
	}
	return journal.NewRecord(events)
}

// Last is the index of the last event of a kind, -1 if there is none.
func Last(events []journal.Event, kind string) int {
	for i, event := range slices.Backward(events) {
		if event.Kind == kind {
			return i
		}
	}
	return -1
}
