package files

import "golang.org/x/sys/unix"

const architecture = unix.AUDIT_ARCH_AARCH64

// oldCalls are none: this architecture began without them.
func oldCalls() []uint32 { return nil }

func oldOpen() []unix.SockFilter { return nil }
