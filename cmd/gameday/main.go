// Command gameday proves that a Kubernetes cluster survives failure and that
// its backups restore.
package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"golang.org/x/term"
	"k8s.io/klog/v2"
)

// process is everything that the operating system gives a program. Nothing
// else in gameday knows of arguments, environment, streams or signals, so that
// a test can be a whole process of its own.
type process struct {
	args   []string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	getenv func(string) string
	// interrupts delivers SIGINT, SIGTERM and SIGHUP from now on until stop is
	// called. Before and after, a signal ends the process at once: there is
	// nothing to undo.
	interrupts func() (signals <-chan os.Signal, stop func())
	// stdinTerminal and so on say whether a person is at the other end.
	stdinTerminal, stdoutTerminal, stderrTerminal bool
	// terminalWidth is in columns.
	terminalWidth func() int
}

func main() {
	// client-go logs what it also returns as errors, and each stream that ends.
	klog.SetLogger(logr.Discard())
	os.Exit(execute(newProcess()))
}

func newProcess() process {
	return process{
		args:           os.Args[1:],
		stdin:          os.Stdin,
		stdout:         os.Stdout,
		stderr:         os.Stderr,
		getenv:         os.Getenv,
		interrupts:     catchInterrupts,
		stdinTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		stdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		stderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		terminalWidth: func() int {
			width, _, err := term.GetSize(int(os.Stderr.Fd()))
			if err != nil {
				return 80
			}
			return width
		},
	}
}

func catchInterrupts() (<-chan os.Signal, func()) {
	caught := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		caught = append(caught, syscall.SIGHUP)
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, caught...)
	// Ctrl-C ends the reader of our output too, as in `gameday run … | tee log`:
	// writing to it must fail, not end the process before it has undone.
	signal.Ignore(syscall.SIGPIPE)
	return signals, func() { signal.Stop(signals) }
}

// dumb says whether the terminal can only print lines.
func (p process) dumb() bool { return p.getenv("TERM") == "dumb" }

// color says whether a stream that is or isn't a terminal gets colour.
func (p process) color(terminal bool) bool {
	return terminal && p.getenv("NO_COLOR") == "" && !p.dumb()
}
