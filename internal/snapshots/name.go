package snapshots

import (
	"path/filepath"
	"strings"
	"time"
)

const (
	namePrefix = "etcd-"
	nameStamp  = "20060102T150405Z"
	nameEnding = ".db"
	// longestCluster leaves room in a file name's 255 bytes for the rest, the
	// sidecar's ending and the ending of what is being written.
	longestCluster = 200
)

// Name is the file name of a snapshot: "etcd-<cluster>-20261123T013000Z.db".
// What a file name does not bear becomes a dash: clusters are also called
// "admin@prod" or "arn:aws:eks:eu-west-1:1234:cluster/prod".
func Name(cluster string, taken time.Time) string {
	return namePrefix + fileSafe(cluster) + "-" + taken.UTC().Format(nameStamp) + nameEnding
}

func fileSafe(cluster string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		default:
			return '-'
		}
	}, cluster)
	if len(safe) > longestCluster {
		safe = safe[:longestCluster]
	}
	if strings.Trim(safe, "-.") == "" {
		return "cluster"
	}
	return safe
}

// takenFrom reads the time in a name that Name made; zero for any other name.
func takenFrom(path string) time.Time {
	name, ok := strings.CutSuffix(filepath.Base(path), nameEnding)
	if !ok || !strings.HasPrefix(name, namePrefix) {
		return time.Time{}
	}
	dash := strings.LastIndexByte(name, '-')
	if dash < len(namePrefix) {
		return time.Time{}
	}
	taken, err := time.Parse(nameStamp, name[dash+1:])
	if err != nil {
		return time.Time{}
	}
	return taken
}
