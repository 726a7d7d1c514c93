//go:build unix

package child

import (
	"os/exec"
	"syscall"
)

// terminate and kill signal the whole group of a child that has not been reaped.
func terminate(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
func kill(cmd *exec.Cmd)      { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
