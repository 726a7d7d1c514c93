package snapshots

import (
	"path/filepath"
	"time"
)

// TakenAt is the time in the name of a snapshot, zero when gameday did not name it.
func TakenAt(path string) time.Time { return takenFrom(path) }

// Ours says whether the name of a snapshot is one that gameday gives to those
// of this cluster.
func Ours(path, cluster string) bool {
	taken := takenFrom(path)
	return !taken.IsZero() && filepath.Base(path) == Name(cluster, taken)
}
