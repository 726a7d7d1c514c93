package apiserver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"gameday.dev/gameday/internal/child"
)

// Failure is why it did not boot: the data's fault or this machine's.
type Failure struct {
	// Machine says that this machine, or what the server was told, is to blame:
	// nothing is known of the data.
	Machine bool
	Err     error
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

func machine(err error) *Failure { return &Failure{Machine: true, Err: err} }

// constantError is an error that can be compared with.
type constantError string

func (e constantError) Error() string { return string(e) }

const (
	errPortTaken  constantError = "its port was taken by somebody else"
	errServerGone constantError = "the scratch API server has ended"
)

// ended says why its process ended before it was ready.
func (c Config) ended(process *child.Process) *Failure {
	log := process.Stderr()
	why := process.Err()
	if why == nil {
		why = errors.New("ended without an error") // as one does that is told to
	}
	err := fmt.Errorf("the scratch API server %w%s", why, c.lastWords(log))
	if strings.Contains(log, "address already in use") {
		return machine(fmt.Errorf("%w: %w", errPortTaken, err))
	}
	var exit *child.Exit
	stopped := !errors.As(process.Err(), &exit) || exit.Signal != 0 && !bySelf(exit.Signal)
	return &Failure{Machine: stopped || c.blamesMachine(log), Err: err}
}

// bySelf says whether a signal is how a crash ends: data can bring one about.
func bySelf(signal syscall.Signal) bool {
	return slices.Contains([]syscall.Signal{syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGILL, syscall.SIGFPE, syscall.SIGTRAP}, signal)
}

// notReady says what was missing when ctx ended.
func (c Config) notReady(ctx context.Context, last readiness, log string) *Failure {
	words := c.lastWords(log)
	if !last.answered {
		// It may be damaged data that it chokes on, or a busy machine.
		return machine(fmt.Errorf("the scratch API server did not answer in time: %w%s", context.Cause(ctx), words))
	}
	err := fmt.Errorf("the scratch API server did not become ready: %w; its readyz fails: %s%s", context.Cause(ctx), strings.Join(last.failing, ", "), words)
	interrupted := !errors.Is(ctx.Err(), context.DeadlineExceeded)
	// Whether its etcd serves is another rung's question.
	withoutEtcd := slices.ContainsFunc(last.failing, func(check string) bool { return strings.HasPrefix(check, "etcd") })
	return &Failure{Machine: interrupted || withoutEtcd || c.blamesMachine(log), Err: err}
}

// blamesMachine says whether the log names a cause that is no fault of the data.
func (c Config) blamesMachine(log string) bool {
	causes := []string{
		"no space left on device",
		"too many open files",
		"cannot allocate memory",
		// What a kube-apiserver says that ends before it serves: of flags, files, an
		// etcd that does not answer. It has read nothing by then.
		`"command failed"`, "Error: ",
	}
	return slices.ContainsFunc(complaints(log), func(line string) bool {
		return locked(line) || slices.ContainsFunc(causes, func(cause string) bool { return strings.Contains(line, cause) })
	})
}
