//go:build !unix

package scratch

import (
	"io"
	"os"
)

// mapFile reads the first bytes of a file: all of them are in memory at once.
func mapFile(file *os.File, size int64) (data []byte, release func(), err error) {
	data = make([]byte, size)
	_, err = io.ReadFull(file, data)
	return data, func() {}, err
}
