package files

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gameday.dev/gameday/internal/kube"
)

// told is one line that matters to a comparison. One without an entry is the last.
type told struct {
	entry *entry
	again bool
}

// stream is one side of a pair: what a reader prints of a volume, in order, once,
// whatever becomes of connections on the way.
type stream struct {
	exec    kube.Executor
	reader  kube.PodRef
	volume  Volume
	pauseAt time.Duration
	quiet   time.Duration

	start begin
	after string        // the last path that was handed on
	alive atomic.Int64  // bytes read, as the reader told last
	ready chan struct{} // closed when start is known
}

const (
	// pauseAfter is how long a side waits for the other before its connection is
	// given up, to be made anew where it stopped. One that is not read from dies by
	// itself after a minute: client-go then does not see the pongs any more
	// (tools/remotecommand/websocket.go, readDemuxLoop: "This can block").
	pauseAfter = 20 * time.Second
	// mostSilence is how long a reader may say nothing; it says something every heartbeat.
	mostSilence = 2 * time.Minute
	// mostTries is how often a connection is made anew without getting any further:
	// for a minute and a half, in which an API server restarts.
	mostTries = 8
	// longestWait is between two of them.
	longestWait = 30 * time.Second
)

func newStream(exec kube.Executor, reader kube.PodRef, volume Volume) *stream {
	return &stream{exec: exec, reader: reader, volume: volume, pauseAt: pauseAfter, quiet: mostSilence, ready: make(chan struct{})}
}

// run hands over all lines, and one that says that these were all.
func (s *stream) run(ctx context.Context, to chan<- told) error {
	defer close(to)
	for tries := 1; ; tries++ {
		before := s.after
		err := s.once(ctx, to)
		var final *finalError
		switch {
		case err == nil:
			select {
			case to <- told{}:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, errPaused):
			tries = 0
			continue
		case errors.As(err, &final), errors.Is(err, errFormat), s.after == "" && hopelessExec(err):
			return err
		case errors.Is(err, errSilent):
			tries += mostTries / 2 // two silences are enough
		}
		if s.after != before {
			tries = 1
		}
		if tries >= mostTries {
			return err
		}
		if err := kube.Pause(ctx, min(time.Second<<(tries-1), longestWait)); err != nil {
			return err
		}
	}
}

var (
	errPaused = errors.New("the other side is slower")
	errFormat = errors.New("the reader prints what is not understood")
	errSilent = errors.New("the reader has fallen silent")
)

// finalError is what a reader has said itself: asking again does not help.
type finalError struct{ error }

func (f *finalError) Unwrap() error { return f.error }

// hopelessExec says that asking again does not help, unless it was allowed before: an
// API server that restarts denies for a moment what it is going to allow.
func hopelessExec(err error) bool {
	text := err.Error()
	return strings.Contains(text, "is forbidden") || strings.Contains(text, "403 Forbidden") || strings.Contains(text, "not found")
}

// once reads until the end, an error or a pause.
func (s *stream) once(ctx context.Context, to chan<- told) error {
	connected, disconnect := context.WithCancelCause(ctx)
	defer disconnect(nil)
	pipe, into := io.Pipe()
	complaint := &head{limit: 4 << 10}
	ended := make(chan error, 1)
	go func() {
		err := s.exec.Exec(connected, kube.Command{
			Namespace: s.reader.Namespace, Pod: s.reader.Name, Container: containerName,
			Command: s.command(), Stdout: into, Stderr: complaint,
		})
		into.CloseWithError(io.EOF)
		ended <- err
	}()
	whole, err := s.readLines(ctx, disconnect, pipe, to)
	if err != nil || whole {
		disconnect(err) // what a connection says after the last line changes nothing
	}
	pipe.CloseWithError(io.ErrClosedPipe)
	ran := <-ended
	switch {
	case whole:
		return nil
	case err != nil:
		return err
	case errors.Is(context.Cause(connected), errSilent):
		return fmt.Errorf("reading volume %s: %w for %s", s.volume, errSilent, s.quiet)
	}
	return s.explain(ran, complaint.String())
}

func (s *stream) command() []string {
	command := []string{program, helperCommand, modeRead, "--" + flagVolumes, mountPath(s.volume.Pod.UID), "--" + flagName, s.volume.directory()}
	if s.after != "" {
		command = append(command, "--"+flagAfter, base64.StdEncoding.EncodeToString([]byte(s.after)))
	}
	return command
}

// explain says why a stream ended early.
func (s *stream) explain(ran error, complaint string) error {
	complaint = strings.TrimSpace(complaint)
	var exit *kube.ExitError
	switch {
	case errors.As(ran, &exit) && strings.Contains(complaint, "unknown command"):
		return &finalError{fmt.Errorf("reading volume %s: %s: the image holds another version of gameday: use that of this one", s.volume, complaint)}
	case errors.As(ran, &exit) && exit.Code == exitNoVolume:
		return &finalError{fmt.Errorf("reading volume %s on node %s: %s", s.volume, s.volume.Node, complaint)}
	case errors.As(ran, &exit):
		return &finalError{fmt.Errorf("reading volume %s on node %s: %w: %s", s.volume, s.volume.Node, ran, complaint)}
	case ran != nil:
		return fmt.Errorf("reading volume %s: %w", s.volume, ran)
	default:
		return fmt.Errorf("reading volume %s: what reader %s printed was cut off", s.volume, s.reader)
	}
}

// longestLine has room for the longest path, in base64, and the longest target.
const longestLine = 2*longestPath + 64<<10

// readLines hands lines on, and says whether the last one came.
func (s *stream) readLines(ctx context.Context, disconnect context.CancelCauseFunc, from io.Reader, to chan<- told) (whole bool, err error) {
	silence := time.AfterFunc(s.quiet, func() { disconnect(errSilent) })
	defer silence.Stop()
	lines := bufio.NewReaderSize(from, longestLine)
	var counted Counts
	for {
		silence.Reset(s.quiet)
		data, err := lines.ReadSlice('\n')
		silence.Stop()
		if err != nil {
			if errors.Is(err, bufio.ErrBufferFull) {
				return false, fmt.Errorf("reading volume %s: %w: a line longer than %d bytes", s.volume, errFormat, longestLine)
			}
			return false, nil // the end of the command says why
		}
		l, err := decode(bytes.TrimSuffix(data, []byte("\n")))
		if err != nil {
			return false, fmt.Errorf("reading volume %s: %w: %w", s.volume, errFormat, err)
		}
		switch {
		case l.Begin != nil:
			if err := s.begin(*l.Begin); err != nil {
				return false, err
			}
		case l.Entry != nil:
			counted.count(l.Entry)
			if s.after != "" && comparePaths(l.Entry.Path, s.after) <= 0 {
				return false, fmt.Errorf("reading volume %s: %w: %s after %s", s.volume, errFormat, show(l.Entry.Path), show(s.after))
			}
			err := s.handOn(ctx, disconnect, told{entry: l.Entry}, to)
			if err == nil || errors.Is(err, errPaused) {
				s.after = l.Entry.Path
			}
			if err != nil {
				return false, err
			}
		case l.Again != nil:
			if err := s.handOn(ctx, disconnect, told{entry: l.Again, again: true}, to); err != nil {
				return false, err
			}
		case l.Alive != nil:
			s.alive.Store(l.Alive.Bytes)
		case l.End != nil:
			if *l.End != counted {
				return false, fmt.Errorf("reading volume %s: lines were lost on the way: %d entries came of %d", s.volume, counted.Entries, l.End.Entries)
			}
			return true, nil
		}
	}
}

func (s *stream) begin(b begin) error {
	if b.Version != formatVersion {
		return fmt.Errorf("reading volume %s: %w: format %d, not %d: the image holds another version of gameday: use that of this one",
			s.volume, errFormat, b.Version, formatVersion)
	}
	select {
	case <-s.ready:
		if s.start.Directory != b.Directory {
			return fmt.Errorf("reading volume %s: it was %s and is %s now", s.volume, s.start.Directory, b.Directory)
		}
	default:
		s.start = b
		close(s.ready)
	}
	return nil
}

// handOn waits for the other side. When that takes too long, it goes on waiting
// without a connection, and errPaused says that a new one is needed.
func (s *stream) handOn(ctx context.Context, disconnect context.CancelCauseFunc, t told, to chan<- told) error {
	select {
	case to <- t:
		return nil
	default:
	}
	timer := time.NewTimer(s.pauseAt)
	defer timer.Stop()
	select {
	case to <- t:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	}
	disconnect(errPaused)
	select {
	case to <- t:
		return errPaused
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// progress adds what the reader has read of files that are not whole yet.
func (s *stream) progress(compared Counts) Counts {
	compared.Bytes = max(compared.Bytes, s.alive.Load())
	return compared
}

// head keeps the beginning of what is written to it.
type head struct {
	limit int

	mu   sync.Mutex
	kept []byte
}

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, p[:min(len(p), h.limit-len(h.kept))]...)
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return string(h.kept)
}
