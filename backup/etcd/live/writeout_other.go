//go:build !linux

package live

import "os"

// writeOut has no equal here; the sync at the end does all of it.
func writeOut(*os.File, int64) {}
