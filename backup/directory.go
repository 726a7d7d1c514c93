package backup

import (
	"os"

	"golang.org/x/sys/unix"

	"gameday.dev/gameday/internal/refusal"
)

// WritableDirectory refuses a scratch directory that is not there or can't be written
// to: what is read and restored is kept there.
func WritableDirectory(path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return refusal.New("create it, or name another one with --scratch-dir", "no scratch directory %s", path)
	}
	if err := unix.Access(path, unix.W_OK|unix.X_OK); err != nil {
		return refusal.New("let this user write there, or name another directory with --scratch-dir", "%s cannot be written to: %v", path, err)
	}
	return nil
}
