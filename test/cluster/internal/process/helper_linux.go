package process

import (
	"os/exec"
	"runtime"
	"syscall"
)

// RunHelper runs a command that must not outlive its starter, however that
// ends: a daemon can be found again, a helper could not.
func RunHelper(cmd *exec.Cmd) error {
	// The signal is tied to the thread that starts the command, not to the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	return cmd.Run()
}
