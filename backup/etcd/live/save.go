package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// stallAfter is how long a stream may bring nothing before its member counts as lost.
const stallAfter = 15 * time.Second

// farBehind is how many raft entries a follower may be behind the one that is
// furthest, before the leader is asked instead.
const farBehind = 5000

// Taken is a snapshot that was streamed to a file.
type Taken struct {
	Path   string
	Size   int64
	SHA256 string // of the whole file, hex
	Member string // endpoint it came from
	Leader bool   // that member led
	// ClusterID is etcd's own id of the cluster.
	ClusterID uint64
	// Leaderless says that it knew of no leader: what it held may be old.
	Leaderless bool
	// Version of the server that gave it.
	Version string
	At      time.Time // when the stream was asked for
	Took    time.Duration
	// Attempts that failed before, in words.
	Attempts []string
}

// local is an error of this machine, which no other member mends.
type local struct{ err error }

func (l *local) Error() string { return l.err.Error() }
func (l *local) Unwrap() error { return l.err }

// Save streams a snapshot to path: from a healthy member that does not lead
// when there is one, from another when that one is lost meanwhile, always from
// the beginning. The file appears whole, synced, mode 0600, or not at all; what
// is being written is at path+".part". A file that is there already is not
// replaced. progress may be nil.
func (c *Cluster) Save(ctx context.Context, members []Member, path string, progress func(bytes int64)) (Taken, error) {
	if _, err := os.Lstat(path); err == nil {
		return Taken{}, fmt.Errorf("saving snapshot: %s is there already, and is not replaced", path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return Taken{}, fmt.Errorf("saving snapshot: %w", err)
	}
	if progress == nil {
		progress = func(int64) {}
	}
	var attempts []string
	for _, member := range sources(members) {
		taken, err := c.stream(ctx, member, path, progress)
		if err == nil {
			taken.Attempts = attempts
			return taken, nil
		}
		if ctx.Err() != nil {
			return Taken{}, fmt.Errorf("saving snapshot: %w", context.Cause(ctx))
		}
		if of := (*local)(nil); errors.As(err, &of) {
			return Taken{}, fmt.Errorf("saving snapshot: %w", err)
		}
		attempts = append(attempts, fmt.Sprintf("%s: %v", member.Endpoint, err))
	}
	for _, member := range members {
		switch {
		case member.Err != nil:
			attempts = append(attempts, member.Err.Error())
		case member.corrupt():
			attempts = append(attempts, member.Endpoint+": it has the alarm CORRUPT")
		case member.Learner:
			attempts = append(attempts, member.Endpoint+": it is a learner, which may hold less than the others")
		}
	}
	return Taken{}, fmt.Errorf("saving snapshot: no member of etcd gave one: %s", strings.Join(attempts, "; "))
}

// sources puts the members in the order in which they are asked: followers,
// the furthest first; the leader; those far behind; those that know no leader.
// Snapshots cost a member reading and sending, so the leader is spared.
func sources(members []Member) []Member {
	var furthest uint64
	usable := slices.DeleteFunc(slices.Clone(members), func(m Member) bool {
		return m.Err != nil || m.Learner || m.corrupt()
	})
	for _, member := range usable {
		furthest = max(furthest, member.Applied)
	}
	rank := func(m Member) int {
		switch {
		case m.Leaderless:
			return 3
		case m.Leader:
			return 1
		case furthest-m.Applied > farBehind:
			return 2
		default:
			return 0
		}
	}
	slices.SortStableFunc(usable, func(a, b Member) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Applied, a.Applied))
	})
	return usable
}
