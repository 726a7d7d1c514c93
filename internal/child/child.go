// Package child starts programs that cannot outlive this one: a child is killed
// by the kernel when its parent dies in whatever way (on Linux; elsewhere only
// an orderly end takes it along). It restarts nothing and reads no output.
package child

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// drain bounds how long output is awaited after a child has ended: something
// that it started may have left its group and still hold the pipe.
const drain = 2 * time.Second

// Spec says what to start.
type Spec struct {
	// Args are the program, found on the PATH if it has no slash, and its arguments.
	Args []string
	Dir  string   // empty: that of this process
	Env  []string // nil: that of this process
	// Stdin is empty when nil. A child gets an *os.File as it is, so that it can
	// be a pipe whose other end tells it that this process is gone.
	Stdin io.Reader
	// Stdout is thrown away when nil. It is written to until Ended.
	Stdout io.Writer
}

// Process is a child at work, in a process group of its own: a Ctrl-C on the
// terminal reaches the parent alone, which ends its children in its own order.
type Process struct {
	cmd    *exec.Cmd
	stderr *tail
	ended  chan struct{}
	err    error // once ended is closed

	mu   sync.Mutex
	gone bool // its id may be another's by now: no more signals
}

// Exit is how a child ended that did not end well.
type Exit struct {
	Code   int            // -1 when ended by a signal
	Signal syscall.Signal // 0 when it exited by itself
}

func (e *Exit) Error() string {
	if e.Signal != 0 {
		return fmt.Sprintf("ended by signal %d (%s)", int(e.Signal), e.Signal)
	}
	return fmt.Sprintf("exited with code %d", e.Code)
}

// Start starts a child. The error is that it could not be started: no such
// program, not allowed, no memory.
func Start(spec Spec) (*Process, error) {
	if len(spec.Args) == 0 {
		return nil, errors.New("starting a child: no program given")
	}
	p := &Process{stderr: newTail(), ended: make(chan struct{})}
	p.cmd = exec.Command(spec.Args[0], spec.Args[1:]...) //nolint:noctx // it ends by Stop, gently, or with this process
	p.cmd.Dir, p.cmd.Env = spec.Dir, spec.Env
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = spec.Stdin, spec.Stdout, p.stderr
	p.cmd.SysProcAttr = attributes()
	p.cmd.WaitDelay = drain
	started := make(chan error)
	go func() {
		// The kernel kills the child when the thread that started it ends, not
		// the process: this goroutine keeps the thread until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.Args[0], err)
	}
	return p, nil
}

// wait waits for the end, takes along what the child has started and left in
// its group, and says how it ended.
func (p *Process) wait() {
	defer close(p.ended)
	if awaitExit(p.cmd.Process.Pid) {
		p.mu.Lock()
		kill(p.cmd)
		p.gone = true
		p.mu.Unlock()
	}
	err := p.cmd.Wait()
	p.mu.Lock()
	p.gone = true
	p.mu.Unlock()
	p.err = p.describe(err)
}

func (p *Process) describe(err error) error {
	state := p.cmd.ProcessState
	switch {
	case err == nil:
		return nil
	case state == nil:
		return fmt.Errorf("waiting for %s: %w", p.cmd.Path, err)
	case state.Success():
		return fmt.Errorf("reading the output of %s: %w", p.cmd.Path, err)
	}
	exit := &Exit{Code: state.ExitCode()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exit.Signal = status.Signal()
	}
	return exit
}

// Pid is its process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Ended is closed when the child is gone and its output has been read.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Err says how it ended: nil for exit code 0, else an *Exit or what went wrong
// with its output. It is nil before Ended.
func (p *Process) Err() error {
	select {
	case <-p.ended:
		return p.err
	default:
		return nil
	}
}

// Stderr gives the last 64 KiB that the child wrote to its standard error.
func (p *Process) Stderr() string { return p.stderr.String() }

// Stop asks the child to end, kills it and all of its group after the grace
// period, and returns when it is gone. It may be called again, and at any time.
func (p *Process) Stop(grace time.Duration) {
	if grace > 0 {
		p.signal(terminate)
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-p.ended:
			return
		case <-timer.C:
		}
	}
	p.signal(kill)
	<-p.ended
}

func (p *Process) signal(send func(*exec.Cmd)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.gone {
		send(p.cmd)
	}
}
