//go:build unix

package scratch

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile gives the first bytes of a file as memory that nobody can write to.
func mapFile(file *os.File, size int64) (data []byte, release func(), err error) {
	data, err = unix.Mmap(int(file.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return data, func() { _ = unix.Munmap(data) }, nil
}
