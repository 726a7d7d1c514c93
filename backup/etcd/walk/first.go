package walk

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// heart is the namespace that every cluster has and that nobody creates anew:
// its UID is taken for the cluster's.
const heart = "namespaces/kube-system"

// living reads the living cluster at a revision, 0 for its newest.
func (w *walker) living(revision int64) *reader {
	r := newReader("the living etcd", w.Live, revision, w.pace)
	r.agreed, r.moves = revision == 0, true
	return r
}

func (w *walker) restored() *reader {
	return newReader("the restored etcd", w.Restored, w.Revision, w.pace)
}

// wrong compares what tells clusters apart, before any key, and says how the two
// cannot be the same; empty when they can.
func (w *walker) wrong(ctx context.Context) (string, error) {
	here, now, err := w.identity(ctx, w.living(0))
	if err != nil {
		return "", err
	}
	there, _, err := w.identity(ctx, w.restored())
	if err != nil {
		return "", err
	}
	switch {
	case here != "" && there != "" && here != there:
		return fmt.Sprintf("a snapshot of another cluster: the UID of namespace kube-system is %s in the snapshot and %s in the living cluster", there, here), nil
	case now < w.Revision:
		return fmt.Sprintf("the snapshot is at revision %d, the living cluster only at %d: a snapshot of another cluster, or the living one was itself restored from an older one", w.Revision, now), nil
	}
	return "", nil
}

// identity gives the UID of kube-system, empty when that is not there or does
// not decode, and the revision of the answer.
func (w *walker) identity(ctx context.Context, r *reader) (uid string, revision int64, err error) {
	key := append(append([]byte{}, w.prefix...), heart...)
	response, err := r.read(ctx, key, nil, 1)
	if err != nil {
		return "", 0, err
	}
	defer response.done()
	if len(response.Kvs) == 1 {
		// A value that does not decode is found again on the walk.
		if o, err := w.Decoder.Decode(key, response.Kvs[0].Value); err == nil { //nolint:contextcheck // it waits for nothing
			uid = o.UID
		}
	}
	return uid, response.Header.Revision, nil
}

// compactionPatience bounds the question for the compaction. etcd answers within
// its round for watchers that lag, 100 ms.
const compactionPatience = 5 * time.Second

// compaction asks what the living cluster has compacted. A range only tells that
// it has; a watch that comes too late is told the revision. Without an answer
// it is the least that it can be.
func (w *walker) compaction(ctx context.Context) (int64, error) {
	watching, cancel := context.WithTimeout(ctx, compactionPatience)
	defer cancel()
	key := string(w.prefix) + heart
	for answer := range w.Live.Watch(watching, key, clientv3.WithRev(w.Revision)) {
		if answer.CompactRevision > 0 {
			return answer.CompactRevision, nil
		}
	}
	if ctx.Err() != nil {
		return 0, fmt.Errorf("reading the living etcd: %w", context.Cause(ctx))
	}
	return w.Revision + 1, nil
}
