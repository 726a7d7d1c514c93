// Package live speaks to the etcd of the living cluster. It only ever reads.
package live

import (
	"context"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"gameday.dev/gameday/experiments"
)

// Cluster is a connection to the members of an etcd cluster.
type Cluster struct {
	// Client asks any member that answers.
	Client *clientv3.Client
}

// Member is what one endpoint says of itself.
type Member struct {
	Endpoint string
	ID       uint64
	Name     string
	Leader   bool
	Learner  bool
	Version  string
	DBSize   int64 // bytes, as the file is
	Revision int64
	Applied  uint64   // raft index
	Alarms   []string // NOSPACE, CORRUPT
	Err      error    // it did not answer; the rest is zero
}

// Connect connects with TLS and authentication as told. It fails only on what
// is wrong on this side: files, URLs.
func Connect(at experiments.Etcd) (*Cluster, error) { panic("to be written") }

// Close ends the connection.
func (c *Cluster) Close() {}

// Members asks every endpoint for its state, side by side, each with a deadline of its own.
func (c *Cluster) Members(ctx context.Context) []Member { panic("to be written") }

// IDs are the ids of all members of the cluster, those without an endpoint included.
func (c *Cluster) IDs(ctx context.Context) ([]uint64, error) { panic("to be written") }

// Agreement compares the members' HashKV at one revision.
type Agreement struct {
	Revision int64
	// Compared are the members whose hashes could be compared: those of equal compaction.
	Compared []string
	// Differ names the members that hold other data than the others; empty when all agree.
	Differ []string
	// Left says of each member that could not be compared why.
	Left map[string]string
}

// Agree compares what the members hold. See etcd's own corruption check
// (server/etcdserver/corrupt.go): hashes compare at equal compaction only.
func (c *Cluster) Agree(ctx context.Context, members []Member) (Agreement, error) {
	panic("to be written")
}

// Taken is a snapshot that was streamed to a file.
type Taken struct {
	Path   string
	Size   int64
	SHA256 string // of the whole file, hex
	Member string // endpoint it came from
	Leader bool   // that member led
	// Version of the server that gave it.
	Version string
	At      time.Time // when the stream was asked for
	Took    time.Duration
	// Attempts that failed before, in words.
	Attempts []string
}

// Save streams a snapshot to path: from a healthy member that does not lead
// when there is one, from another when that one is lost meanwhile, always from
// the beginning. The file appears whole, synced, mode 0600, or not at all; what
// is being written is at path+".part". progress may be nil.
func (c *Cluster) Save(ctx context.Context, members []Member, path string, progress func(bytes int64)) (Taken, error) {
	panic("to be written")
}
