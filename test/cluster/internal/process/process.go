//go:build unix

// Package process starts daemons that outlive the program that starts them
// and finds them again from another program. It never goes by a name.
//
// A daemon records itself: it is started as "agent exec", which joins the
// cluster's cgroup, writes its own process id and only then becomes the
// daemon. Whatever kills the starter, there is no moment at which a daemon
// runs that nobody could find.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gameday.dev/gameday/test/cluster/internal/cgroup"
)

var errGone = errors.New("no such process")

// A Spec says how to run a daemon.
type Spec struct {
	Agent   string   // path of the agent program
	PIDFile string   // in a directory whose presence allows daemons to start
	Log     string   // stdout and stderr are appended to it
	Group   string   // cgroup to join; none when empty
	Command []string // program and arguments
	Env     []string // on top of the starter's
}

// Start starts the daemon. It does not wait until it serves.
func Start(s Spec) error {
	if _, err := Read(s.PIDFile); err == nil {
		return fmt.Errorf("starting %s: it is running already", filepath.Base(s.Command[0]))
	}
	if err := os.Remove(s.PIDFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	log, err := os.OpenFile(s.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	arguments := []string{"exec", s.PIDFile, s.Group, "--"}
	cmd := exec.Command(s.Agent, append(arguments, s.Command...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), s.Env...)
	// A session of its own: no Ctrl-C of the starter's terminal reaches it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", s.Command[0], err)
	}
	go func() { _ = cmd.Wait() }() // reap it should it die before us; its death is seen by its pid file
	return nil
}

// Exec is the inside of Start: it runs in the agent and does not return when
// it succeeds.
func Exec(pidFile, group string, command []string) error {
	if group != "" {
		if err := cgroup.Join(group); err != nil {
			return err
		}
	}
	if err := Record(pidFile, os.Getpid()); err != nil {
		return err
	}
	program, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	return syscall.Exec(program, command, os.Environ())
}

// Record writes the pid file of a process.
func Record(pidFile string, pid int) error {
	start, err := startOf(pid)
	if err != nil {
		return fmt.Errorf("recording process %d: %w", pid, err)
	}
	// Renamed into place: a reader sees all of it or nothing.
	half := pidFile + "~"
	if err := os.WriteFile(half, []byte(fmt.Sprintf("%d %s\n", pid, start)), 0o644); err != nil {
		return err
	}
	return os.Rename(half, pidFile)
}

// Read is the id of the process that a pid file records, an error when that
// process is gone, even if another one has its id now.
func Read(pidFile string) (int, error) {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return 0, err
	}
	id, start, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	pid, err := strconv.Atoi(id)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", pidFile, err)
	}
	if now, err := startOf(pid); err != nil || now != start {
		return 0, fmt.Errorf("process %d of %s: %w", pid, pidFile, errGone)
	}
	return pid, nil
}

// Signal sends a signal to the process that a pid file records.
func Signal(pidFile string, signal syscall.Signal) error {
	pid, err := Read(pidFile)
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, signal); err != nil {
		return fmt.Errorf("sending %s to process %d: %w", signal, pid, err)
	}
	return nil
}

// Stop ends the process: SIGTERM, and SIGKILL when it is still there after
// the grace period. A process that is gone already is no error.
func Stop(ctx context.Context, pidFile string, grace time.Duration) error {
	if grace > 0 {
		if err := Signal(pidFile, syscall.SIGTERM); err != nil {
			return ignoreGone(err)
		}
		if waitGone(ctx, pidFile, grace) {
			return nil
		}
	}
	if err := Signal(pidFile, syscall.SIGKILL); err != nil {
		return ignoreGone(err)
	}
	if !waitGone(ctx, pidFile, 10*time.Second) {
		return fmt.Errorf("process of %s is still there 10s after SIGKILL", pidFile)
	}
	return nil
}

func waitGone(ctx context.Context, pidFile string, patience time.Duration) bool {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		if _, err := Read(pidFile); err != nil {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	_, err := Read(pidFile)
	return err != nil
}

func ignoreGone(err error) error {
	if errors.Is(err, errGone) || errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}
