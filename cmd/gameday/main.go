// Command gameday proves that a Kubernetes cluster survives failure and that
// its backups restore.
package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
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
	// signals delivers SIGINT and SIGTERM.
	signals <-chan os.Signal
	// stdinTerminal and so on say whether a person is at the other end.
	stdinTerminal, stdoutTerminal, stderrTerminal bool
	// stderrWidth is the width of the terminal in columns.
	stderrWidth func() int
}

func main() {
	os.Exit(execute(newProcess()))
}

func newProcess() process {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	return process{
		args:           os.Args[1:],
		stdin:          os.Stdin,
		stdout:         os.Stdout,
		stderr:         os.Stderr,
		getenv:         os.Getenv,
		signals:        signals,
		stdinTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		stdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		stderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		stderrWidth: func() int {
			width, _, err := term.GetSize(int(os.Stderr.Fd()))
			if err != nil {
				return 80
			}
			return width
		},
	}
}

// dumb says whether the terminal can only print lines.
func (p process) dumb() bool { return p.getenv("TERM") == "dumb" }

// color says whether a stream that is or isn't a terminal gets colour.
func (p process) color(terminal bool) bool {
	return terminal && p.getenv("NO_COLOR") == "" && !p.dumb()
}
