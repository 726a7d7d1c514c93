package files

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"
	"time"
)

// The exit codes of the helper.
const (
	exitFailed     = 1
	exitUsage      = 2
	exitNoVolume   = 3 // the volume is not there
	exitNobody     = 4 // nobody takes what is printed
	helperCommand  = "files-helper"
	modeWait       = "wait"
	modeRead       = "read"
	flagVolumes    = "volumes"
	flagName       = "name"
	flagAfter      = "after"
	mountTableFile = "/proc/self/mountinfo"
)

// Main is the helper: gameday inside a reader pod.
//
//	files-helper wait DURATION                                 the pod's main process; does nothing
//	files-helper read --volumes DIR --name NAME [--after PATH] prints the volume, see line
//
// PATH is in base64, since names are bytes.
func Main(args []string, stdout, stderr io.Writer) int {
	return help(args, stdout, stderr, confine)
}

// help is Main for tests, which go on in this process and have to write.
func help(args []string, stdout, stderr io.Writer, confine func() error) int {
	if len(args) == 0 {
		return usage(stderr, "no mode")
	}
	switch mode, args := args[0], args[1:]; mode {
	case modeWait:
		return waitOut(args, stderr)
	case modeRead:
		return read(args, stdout, stderr, confine)
	default:
		return usage(stderr, "unknown mode "+mode)
	}
}

func usage(stderr io.Writer, problem string) int {
	fmt.Fprintf(stderr, "%s: %s\n", helperCommand, problem)
	return exitUsage
}

// waitOut keeps the pod running so that there is something to exec into. The
// deadline is the pod's own too: each is there if the other fails.
func waitOut(args []string, stderr io.Writer) int {
	if len(args) != 1 {
		return usage(stderr, "wait needs one duration")
	}
	limit, err := time.ParseDuration(args[0])
	if err != nil || limit <= 0 {
		return usage(stderr, fmt.Sprintf("%q is no duration", args[0]))
	}
	<-time.After(limit)
	return 0
}

func read(args []string, stdout, stderr io.Writer, confine func() error) int {
	given := map[string]string{}
	for i := 0; i+1 < len(args); i += 2 {
		given[args[i]] = args[i+1]
	}
	volumes, name := given["--"+flagVolumes], given["--"+flagName]
	after, err := base64.StdEncoding.DecodeString(given["--"+flagAfter])
	if err != nil || len(args)%2 != 0 || volumes == "" || name == "" || filepath.Base(name) != name {
		return usage(stderr, "read needs --volumes and --name")
	}
	if err := confine(); err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	directory, err := locate(volumes, name, mountTableFile)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitNoVolume
	}
	return guard(stdout, stderr, func(out io.Writer) error {
		return readVolume(context.Background(), volumes, directory, string(after), out)
	})
}

// patience is how long the reader waits for somebody to take what it prints. Who
// compares goes away sooner when the other side is slow, and comes back; a
// connection that is gone does not always end the process at its far end, and that
// would hold files of the volume open.
const patience = 2 * time.Minute

// guard runs the work and ends when nobody listens.
func guard(stdout, stderr io.Writer, work func(io.Writer) error) int {
	watched := &watchedWriter{to: stdout}
	ended := make(chan error, 1)
	go func() { ended <- work(watched) }()
	tick := time.NewTicker(patience / 10)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				fmt.Fprintln(stderr, err)
				return exitFailed
			}
			return 0
		case <-tick.C:
			if watched.stuck() > patience {
				return exitNobody
			}
		}
	}
}

// watchedWriter knows how long a write has been waiting.
type watchedWriter struct {
	to    io.Writer
	since atomic.Pointer[time.Time]
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	now := time.Now()
	w.since.Store(&now)
	defer w.since.Store(nil)
	return w.to.Write(p)
}

func (w *watchedWriter) stuck() time.Duration {
	if since := w.since.Load(); since != nil {
		return time.Since(*since)
	}
	return 0
}
