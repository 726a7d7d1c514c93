package live

import (
	"os"

	"golang.org/x/sys/unix"
)

// writeOutEvery is how much is written before the disk is told to begin.
const writeOutEvery = 8 << 20

// writeOut lets the disk begin with what has come, so that the sync at the end
// has little left to wait for. It is help only: the sync finds every error.
func writeOut(file *os.File, size int64) {
	const most = 32 << 10 // of one piece
	if size%writeOutEvery < most && size >= writeOutEvery {
		from := size - size%writeOutEvery - writeOutEvery
		_ = unix.SyncFileRange(int(file.Fd()), from, writeOutEvery, unix.SYNC_FILE_RANGE_WRITE)
	}
}
