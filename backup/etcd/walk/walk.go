// Package walk goes through a restored etcd key by key, decodes every value and
// compares it with the living cluster. Both sides are read in pages; memory does
// not grow with them. It only ever reads.
package walk

import (
	"context"
	"fmt"
	"path"

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
	// Wrong says why the two cannot be the same cluster; nothing was compared
	// key by key then. Empty otherwise.
	Wrong string
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

// Walk walks. An error is what could not be read, not what was found; what comes
// with it is worth nothing.
//
// The living cluster is read at the snapshot's revision, where every key must be
// equal. When that has been compacted away, before or meanwhile, Walk starts
// anew and holds the snapshot against the living cluster of now, as far as that
// tells.
func Walk(ctx context.Context, o Options) (Walked, error) {
	w := walker{Options: o, pace: defaultPace()}
	return w.walk(ctx)
}

// walker is one Walk.
type walker struct {
	Options
	pace   pace
	prefix []byte
	// told is the most that Progress has been told.
	told int64
}

// restarts is how often the comparison with the present is begun anew because
// that has been compacted away in its turn.
const restarts = 3

func (w *walker) walk(ctx context.Context) (Walked, error) {
	w.prefix = []byte(path.Join("/", w.Prefix) + "/")
	if string(w.prefix) == "//" {
		w.prefix = w.prefix[:1]
	}
	if w.Live == nil {
		return w.alone(ctx, Match{Why: "there is no living cluster to compare with"})
	}
	wrong, err := w.wrong(ctx)
	if err != nil {
		return Walked{}, err
	}
	if wrong != "" {
		return w.alone(ctx, Match{Compared: true, Wrong: wrong})
	}
	walked, err := w.pass(ctx, w.exact(), w.Revision) //nolint:contextcheck // comparing waits for nothing
	if !compacted(err) {
		return walked, err
	}
	compaction, err := w.compaction(ctx)
	if err != nil {
		return Walked{}, err
	}
	for range restarts + 1 {
		_, now, err := w.identity(ctx, w.living(0))
		if err != nil {
			return Walked{}, err
		}
		walked, err = w.pass(ctx, w.since(), now) //nolint:contextcheck // as above
		walked.Match.Compacted = compaction
		if !compacted(err) {
			return walked, err
		}
	}
	return w.alone(ctx, Match{Compacted: compaction, Why: fmt.Sprintf(
		"the living cluster has compacted revision %d of the snapshot, and its own present faster than it could be read, %d times",
		w.Revision, restarts+1)})
}

// alone walks the restored side without comparing.
func (w *walker) alone(ctx context.Context, match Match) (Walked, error) {
	walked, err := w.pass(ctx, nil, 0)
	walked.Match = match
	return walked, err
}

func (w *walker) progress(keys int64) {
	if w.Progress != nil && keys > w.told { // a walk that starts anew has been here
		w.told = keys
		w.Progress(keys)
	}
}
