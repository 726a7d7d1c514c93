package etcdsnapshots

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gameday.dev/gameday/internal/snapshots"
)

const (
	// fewNewest and fewOthers are how many files an event names.
	fewNewest = 5
	fewOthers = 10
	// mostFiles bounds how many are opened; more are named as not looked into.
	mostFiles = 1000
)

// eyes look at a directory again and again and open only what has changed.
type eyes struct {
	directory string
	known     map[fileState]opened
}

// fileState tells whether a file is the one that was opened before.
type fileState struct {
	path     string
	size     int64
	modified int64
}

// opened is what a file holds.
type opened struct {
	content snapshots.Content
	problem string // it is no snapshot, or a damaged one
	sum     string
	// end is the sha256 that etcd wrote at the end: equal ones are copies. It is
	// zero in a copy of a data directory, which counts, and in what is no snapshot.
	end ending
}

type ending [sha256.Size]byte

func newEyes(directory string) *eyes {
	return &eyes{directory: directory, known: map[fileState]opened{}}
}

// look looks at the directory once.
func (e *eyes) look() lookEvent {
	files, err := snapshots.List(e.directory)
	look := lookEvent{At: time.Now().UTC(), Directory: e.directory}
	if err != nil {
		look.Problem = err.Error()
		return look
	}
	known := make(map[fileState]opened, len(files))
	first := map[ending]string{} // the file that has this end
	for i, file := range files {
		name := filepath.Base(file.Path)
		if i >= mostFiles {
			look.other(name, fmt.Sprintf("not looked into: there are more than %d", mostFiles))
			continue
		}
		state := stateOf(file)
		holds, ok := e.known[state]
		if !ok {
			holds = open(file)
		}
		known[state] = holds
		if original, copied := first[holds.end]; copied && holds.end != (ending{}) {
			look.other(name, "a copy of "+original)
			continue
		}
		first[holds.end] = name
		seen := snapshotSeen{
			Name: name, Size: file.Size, Modified: file.Modified, Taken: file.Taken,
			Content: holds.content.At, Sum: holds.sum,
		}
		if seen.Content.IsZero() {
			seen.ContentUnknown = holds.content.Source
		} else {
			seen.ContentSource = holds.content.Source
		}
		at, by := seen.since()
		switch {
		case holds.problem != "":
			look.other(name, holds.problem)
		case at.After(look.At.Add(clocksApart)):
			look.other(name, fmt.Sprintf("from the future: %s by %s", at.UTC().Format(time.RFC3339), by))
		default:
			look.Counted++
			look.Newest = append(look.Newest, seen)
		}
	}
	e.known = known
	slices.SortStableFunc(look.Newest, func(a, b snapshotSeen) int {
		return cmp.Or(when(b).Compare(when(a)), cmp.Compare(a.Name, b.Name))
	})
	look.Newest = look.Newest[:min(len(look.Newest), fewNewest)]
	return look
}

func when(s snapshotSeen) time.Time {
	at, _ := s.since()
	return at
}

func stateOf(file snapshots.File) fileState {
	return fileState{path: file.Path, size: file.Size, modified: file.Modified.UnixNano()}
}

// open reads how old the content of a file is. Any prefix of keys will do: the
// values say themselves what they are.
func open(file snapshots.File) opened {
	content, err := snapshots.ReadContent(file.Path, "/")
	if err != nil {
		return opened{problem: err.Error()}
	}
	end, err := endOf(file)
	if err != nil {
		return opened{problem: err.Error()}
	}
	return opened{content: content, end: end}
}

// endOf reads the sha256 that etcd appends to a snapshot. Whether it fits is for
// a look at the whole file.
func endOf(file snapshots.File) (end ending, err error) {
	if !snapshots.HasTrailer(file.Size) {
		return end, nil
	}
	opened, err := os.Open(file.Path)
	if err != nil {
		return end, err
	}
	defer opened.Close()
	_, err = opened.ReadAt(end[:], file.Size-sha256.Size)
	return end, err
}

func (l *lookEvent) other(name, why string) {
	l.NotCounted++
	if len(l.Others) < fewOthers {
		l.Others = append(l.Others, otherSeen{Name: name, Why: why})
	}
}

// same says whether two looks saw the same.
func (l lookEvent) same(other lookEvent) bool {
	return l.Problem == other.Problem && l.Counted == other.Counted && l.NotCounted == other.NotCounted &&
		slices.Equal(l.Newest, other.Newest) && slices.Equal(l.Others, other.Others)
}
