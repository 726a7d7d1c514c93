package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"
)

// Record is what a journal holds. It is read-only.
type Record struct {
	events []Event
	// torn is true when the last line was cut off: the runner lost its power.
	torn bool
	// size is the length in bytes of the whole lines.
	size int64
}

// NewRecord makes a record of given events, for tests and tools.
func NewRecord(events []Event) *Record { return &Record{events: events} }

// Read reads the journal of a run directory, or a journal file. A last line
// that is cut off is left out, since that is what a power loss leaves; any
// other damage is an error with file and line.
func Read(path string) (*Record, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, FileName)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading journal: %w", err)
	}
	defer file.Close()
	record, err := decode(file)
	if err != nil {
		return nil, fmt.Errorf("reading journal: %s:%w", path, err)
	}
	return record, nil
}

func decode(r io.Reader) (*Record, error) {
	record := &Record{}
	reader := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			record.torn = len(line) > 0
			return record, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%d: %w", number, err)
		}
		event, err := decodeLine(line)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", number, err)
		}
		if want := int64(number); event.Seq != want {
			return nil, fmt.Errorf("%d: event %d where %d was expected: lines are missing or were moved", number, event.Seq, want)
		}
		record.events = append(record.events, event)
		record.size += int64(len(line))
	}
}

func decodeLine(line []byte) (Event, error) {
	var event Event
	if err := json.Unmarshal(bytes.TrimSpace(line), &event); err != nil {
		return event, fmt.Errorf("not an event: %w", err)
	}
	if event.Version < 1 || event.Version > Version {
		return event, fmt.Errorf("event version %d, this gameday reads 1 to %d: use the gameday that wrote it, or a newer one", event.Version, Version)
	}
	if event.Kind == "" || event.Time.IsZero() {
		return event, errors.New("not an event: kind or time is missing")
	}
	return event, nil
}

// Len is the number of events.
func (r *Record) Len() int { return len(r.events) }

// Torn says whether the last line was cut off.
func (r *Record) Torn() bool { return r.torn }

// All yields the events in order.
func (r *Record) All() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for _, event := range r.events {
			if !yield(event) {
				return
			}
		}
	}
}

// OfCheck yields the events of one check in order.
func (r *Record) OfCheck(check string) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for _, event := range r.events {
			if event.Check == check && !yield(event) {
				return
			}
		}
	}
}

// First returns the first event of a kind.
func (r *Record) First(kind string) (Event, bool) {
	for _, event := range r.events {
		if event.Kind == kind {
			return event, true
		}
	}
	return Event{}, false
}

// Last returns the last event of a kind.
func (r *Record) Last(kind string) (Event, bool) {
	for i := len(r.events) - 1; i >= 0; i-- {
		if r.events[i].Kind == kind {
			return r.events[i], true
		}
	}
	return Event{}, false
}

// Now is the time of the last event: as far as the record knows. Judges use it
// in place of a clock.
func (r *Record) Now() time.Time {
	if len(r.events) == 0 {
		return time.Time{}
	}
	return r.events[len(r.events)-1].Time
}

// Info returns the opening event's payload.
func (r *Record) Info() (RunInfo, error) {
	event, ok := r.First(RunStarted)
	if !ok {
		return RunInfo{}, errors.New("the journal has no run.started event: the run was refused or ended before it began")
	}
	var info RunInfo
	return info, event.Decode(&info)
}
