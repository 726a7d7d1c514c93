//go:build !unix

package child

import (
	"os/exec"
	"syscall"
)

// attributes: there are no groups here, nor a way to bind the child's life to ours.
func attributes() *syscall.SysProcAttr { return nil }

// terminate has no gentle way here: a child notices that its input has closed.
func terminate(*exec.Cmd) {}
func kill(cmd *exec.Cmd)  { _ = cmd.Process.Kill() }
