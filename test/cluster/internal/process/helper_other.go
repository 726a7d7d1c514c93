//go:build unix && !linux

package process

import "os/exec"

// RunHelper runs a command that should not outlive its starter. Only Linux
// can promise that.
func RunHelper(cmd *exec.Cmd) error { return cmd.Run() }
