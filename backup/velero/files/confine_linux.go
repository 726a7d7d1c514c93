//go:build amd64 || arm64

package files

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// confine takes from this process, for good, every system call that changes a file
// system. A mount that is read-only does not make those below it read-only, and
// volumes are mounts below the one that the reader was given; recursively read-only
// mounts can't pass on unmounts from the node. So the reader gives its rights away
// before it opens anything.
func confine() error {
	filter := append(prologue(), deny(changing())...)
	filter = append(filter, denyWritable(unix.SYS_OPENAT, 2)...)
	filter = append(filter, oldOpen()...)
	filter = append(filter, statement(unix.BPF_RET|unix.BPF_K, unix.SECCOMP_RET_ALLOW))
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("confining the reader: %w", err)
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(filter)
	if errno != 0 {
		return fmt.Errorf("confining the reader: %w", errno)
	}
	return nil
}

// Where a filter finds the number of a call, the machine's architecture, and the
// lower half of an argument (seccomp(2), struct seccomp_data).
const (
	offsetNumber       = 0
	offsetArchitecture = 4
	offsetArguments    = 16
	refuse             = unix.SECCOMP_RET_ERRNO | uint32(unix.EROFS)
)

func statement(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }

func jump(code uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: code, K: k, Jt: yes, Jf: no}
}

func load(offset uint32) unix.SockFilter {
	return statement(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, offset)
}

// prologue refuses calls by another table of numbers, in which others are harmless.
func prologue() []unix.SockFilter {
	const otherTable = 0x40000000 // x32's numbers
	return []unix.SockFilter{
		load(offsetArchitecture),
		jump(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, architecture, 1, 0),
		statement(unix.BPF_RET|unix.BPF_K, refuse),
		load(offsetNumber),
		jump(unix.BPF_JMP|unix.BPF_JGE|unix.BPF_K, otherTable, 0, 1),
		statement(unix.BPF_RET|unix.BPF_K, refuse),
	}
}

func deny(calls []uint32) []unix.SockFilter {
	var filter []unix.SockFilter
	for _, call := range calls {
		filter = append(filter, jump(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, call, 0, 1), statement(unix.BPF_RET|unix.BPF_K, refuse))
	}
	return filter
}

// denyWritable refuses to open for writing; flags is the number of the argument.
func denyWritable(call, flags uint32) []unix.SockFilter {
	const writable = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC
	return []unix.SockFilter{
		jump(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, call, 0, 4),
		load(offsetArguments + 8*flags),
		jump(unix.BPF_JMP|unix.BPF_JSET|unix.BPF_K, writable, 0, 1),
		statement(unix.BPF_RET|unix.BPF_K, refuse),
		statement(unix.BPF_RET|unix.BPF_K, unix.SECCOMP_RET_ALLOW),
	}
}

// changing are the calls that change a file system whatever their arguments, or
// that could go around this list.
func changing() []uint32 {
	return append([]uint32{
		unix.SYS_OPENAT2, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_IO_URING_SETUP, unix.SYS_IOCTL, unix.SYS_EXECVE, unix.SYS_EXECVEAT,
		unix.SYS_MKNODAT, unix.SYS_MKDIRAT, unix.SYS_UNLINKAT, unix.SYS_SYMLINKAT, unix.SYS_LINKAT, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2,
		unix.SYS_TRUNCATE, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE, unix.SYS_UTIMENSAT,
		unix.SYS_FCHMOD, unix.SYS_FCHMODAT, unix.SYS_FCHMODAT2, unix.SYS_FCHOWN, unix.SYS_FCHOWNAT,
		unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR, unix.SYS_REMOVEXATTR, unix.SYS_LREMOVEXATTR, unix.SYS_FREMOVEXATTR,
		unix.SYS_SETXATTRAT, unix.SYS_REMOVEXATTRAT, unix.SYS_FILE_SETATTR,
		unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_MOUNT_SETATTR, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE,
		unix.SYS_PTRACE, unix.SYS_PROCESS_VM_WRITEV,
	}, oldCalls()...)
}
