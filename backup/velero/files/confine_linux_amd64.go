package files

import "golang.org/x/sys/unix"

const architecture = unix.AUDIT_ARCH_X86_64

// oldCalls are those that newer architectures have only with a directory to begin at.
func oldCalls() []uint32 {
	return []uint32{
		unix.SYS_CREAT, unix.SYS_RENAME, unix.SYS_MKDIR, unix.SYS_RMDIR, unix.SYS_LINK, unix.SYS_UNLINK, unix.SYS_SYMLINK, unix.SYS_MKNOD,
		unix.SYS_CHMOD, unix.SYS_CHOWN, unix.SYS_LCHOWN, unix.SYS_UTIME, unix.SYS_UTIMES, unix.SYS_FUTIMESAT,
	}
}

func oldOpen() []unix.SockFilter { return denyWritable(unix.SYS_OPEN, 1) }
