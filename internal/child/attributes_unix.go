//go:build unix && !linux

package child

import "syscall"

// attributes can't bind the child's life to ours here.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
