package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// FileName is the journal's name within a run directory.
const FileName = "journal.jsonl"

// ArtifactsName is the directory within a run directory for files that steps leave for
// people: no verdict needs them.
const ArtifactsName = "artifacts"

// Recorder writes events on behalf of one step or check. Recording never
// fails for the caller: the Writer keeps the first error and the loop, which
// watches Failed, ends the run on it.
type Recorder interface {
	Record(kind string, payload any)
}

// Writer appends events to a run's journal. It is safe for concurrent use.
type Writer struct {
	mu     sync.Mutex
	file   *os.File
	record Record // what has been written, for judging while the run goes on
	err    error
	failed chan struct{}
	notify []chan<- Event
}

// Create makes the journal in dir, which must not hold one yet.
func Create(dir string) (*Writer, error) {
	if err := os.MkdirAll(filepath.Join(dir, ArtifactsName), 0o755); err != nil {
		return nil, fmt.Errorf("creating run directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, FileName), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("creating journal: %w", err)
	}
	for _, entry := range []string{dir, filepath.Dir(dir)} {
		if err := syncDir(entry); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	return &Writer{file: file, failed: make(chan struct{})}, nil
}

// syncDir makes the names in a directory survive a power loss; syncing a file
// keeps its content only.
func syncDir(dir string) error {
	entry, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("syncing run directory: %w", err)
	}
	defer entry.Close()
	if err := entry.Sync(); err != nil {
		return fmt.Errorf("syncing run directory: %w", err)
	}
	return nil
}

// Reopen continues the journal of a run that was cut short. A last line that
// was cut off is removed, so that the journal stays whole.
func Reopen(dir string) (*Writer, error) {
	path := filepath.Join(dir, FileName)
	record, err := Read(path)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("reopening journal: %w", err)
	}
	if record.torn {
		if err := file.Truncate(record.size); err != nil {
			return nil, errors.Join(fmt.Errorf("removing the torn line of %s: %w", path, err), file.Close())
		}
	}
	return &Writer{file: file, record: *record, failed: make(chan struct{})}, nil
}

// Append writes one event. After the first failure nothing more goes to the
// file, so that a journal never has a hole in its middle; the record in memory
// goes on, so that the run can still be undone and say what it knows.
func (w *Writer) Append(step, check, kind string, payload any) error {
	var data json.RawMessage
	var encodeErr error
	if payload != nil {
		data, encodeErr = json.Marshal(payload)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if encodeErr != nil { // an event that can't be encoded is a lost event too
		w.fail(fmt.Errorf("encoding %s event: %w", kind, encodeErr))
		return w.err
	}
	event := Event{
		Version: Version,
		Seq:     int64(len(w.record.events)) + 1,
		Time:    time.Now().UTC(),
		Kind:    kind,
		Step:    step,
		Check:   check,
		Data:    data,
	}
	line, err := json.Marshal(event)
	if err != nil {
		w.fail(fmt.Errorf("encoding %s event: %w", kind, err))
		return w.err
	}
	if w.err == nil {
		if _, err := w.file.Write(append(line, '\n')); err != nil {
			w.fail(fmt.Errorf("writing journal: %w", err))
		}
	}
	w.record.events = append(w.record.events, event)
	for _, subscriber := range w.notify {
		select {
		case subscriber <- event:
		default: // A slow reader loses progress lines, never the run its time.
		}
	}
	return w.err
}

// fail keeps the first error. The caller holds the lock.
func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = err
		close(w.failed)
	}
}

// Sync makes everything appended so far survive a power loss.
func (w *Writer) Sync() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if err := w.file.Sync(); err != nil {
		w.fail(fmt.Errorf("syncing journal: %w", err))
	}
	return w.err
}

// Close syncs and closes the journal.
func (w *Writer) Close() error {
	syncErr := w.Sync()
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(syncErr, w.file.Close())
}

// Failed is closed when the journal can no longer be written; Err says why.
func (w *Writer) Failed() <-chan struct{} { return w.failed }

// Err returns the first error, nil while all is well.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Record returns what has been written so far; later events don't show in it.
func (w *Writer) Record() *Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Events are only ever appended, so sharing the array below its length is safe.
	n := len(w.record.events)
	return &Record{events: w.record.events[:n:n]}
}

// Subscribe sends every later event to the channel, dropping those for which
// it has no room.
func (w *Writer) Subscribe(events chan<- Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notify = append(w.notify, events)
}

// ForStep returns the recorder of one step.
func (w *Writer) ForStep(step string) Recorder { return scoped{writer: w, step: step} }

// ForCheck returns the recorder of one check.
func (w *Writer) ForCheck(check string) Recorder { return scoped{writer: w, check: check} }

type scoped struct {
	writer      *Writer
	step, check string
}

func (s scoped) Record(kind string, payload any) {
	_ = s.writer.Append(s.step, s.check, kind, payload) // the Writer keeps the error
}
