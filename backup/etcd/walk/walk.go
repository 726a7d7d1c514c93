// Package walk goes through a restored etcd key by key, decodes every value and
// compares it with the living cluster. Both sides are read in pages; memory does
// not grow with them.
package walk

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"

	"gameday.dev/gameday/backup/etcd/objects"
)

// Options say what to walk.
type Options struct {
	Restored *clientv3.Client
	// Live is nil when nothing is to be compared.
	Live    *clientv3.Client
	Decoder *objects.Decoder
	Prefix  string // "/registry"
	// Revision of the snapshot; both sides are read at it.
	Revision int64
	// Progress is called now and then with the keys done so far; may be nil.
	Progress func(keys int64)
}

// Walked is what the walk found.
type Walked struct {
	Keys   int64            // under the prefix
	Bytes  int64            // of values
	Counts map[string]int64 // objects by resource
	// Undecodable values, and those that need a key or a KMS that is not here.
	Undecodable Problems
	Unknown     Problems
	// Encrypted counts objects by provider and key.
	Encrypted map[string]int64
	Match     Match
}

// Match is the comparison with the living cluster.
type Match struct {
	// Compared is false when there was nothing to compare with; Why says so.
	Compared bool
	Why      string
	// Compacted is the living cluster's compaction when the snapshot's revision
	// could not be read any more: then only keys unchanged since were compared.
	Compacted int64
	Equal     int64
	Different Problems // other content at the same revision
	Missing   Problems // in the living cluster, not in the snapshot
	Extra     Problems // in the snapshot, not in the living cluster
	// Moved counts keys that the living cluster has changed or deleted since: nothing
	// can be told of them. Only after a compaction.
	Moved int64
	// Excluded counts ephemeral keys that were left out, by rule. Only after a compaction.
	Excluded map[string]int64
}

// Problems are the first few in words, and how many there were.
type Problems struct {
	First []string
	Count int64
}

// Walk walks. An error is what could not be read, not what was found.
func Walk(ctx context.Context, o Options) (Walked, error) { panic("to be written") }
