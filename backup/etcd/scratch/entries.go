package scratch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"sync"
)

// Buckets of etcd, see server/storage/schema/bucket.go.
const (
	keyBucket     = "key"
	metaBucket    = "meta"
	membersBucket = "members"
	alarmBucket   = "alarm"
)

// revisionSize is that of a key in the key bucket: 8 bytes of the revision, "_",
// 8 bytes of the change's place within it, and "t" when it is a deletion. See
// server/storage/mvcc/revision.go.
const revisionSize = 8 + 1 + 8

// entries are those of the key bucket: every change that etcd still remembers.
type entries struct {
	damage *damage

	mu     sync.Mutex
	count  int64
	newest int64 // revision
	trail  trail
}

func (e *entries) leaf(page uint64, list []entry) {
	var newest int64
	var stretch stretch
	for i := range list {
		revision, wrong := readEntry(&list[i])
		if wrong != "" {
			e.damage.add(page, "page %d (bucket key), entry %d: %s", page, i, wrong)
			continue
		}
		newest = max(newest, revision)
		stretch.walk(list[i].key)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count += int64(len(list))
	e.newest = max(e.newest, newest)
	e.trail.stretches = append(e.trail.stretches, stretch)
}

// torn says where a change is missing, empty when none is.
func (e *entries) torn(compacted int64) string {
	gap, torn := e.trail.torn(compacted)
	if !torn {
		return ""
	}
	return fmt.Sprintf("between revisions %d and %d a change is missing that no compaction explains", gap.before.revision, gap.after.revision)
}

// readEntry checks one change.
func readEntry(e *entry) (revision int64, wrong string) {
	key := e.key
	deletion := len(key) == revisionSize+1 && key[revisionSize] == 't'
	if len(key) != revisionSize && !deletion || key[8] != '_' {
		return 0, "its key is no revision"
	}
	revision = int64(binary.BigEndian.Uint64(key))
	if place := int64(binary.BigEndian.Uint64(key[9:])); revision < 0 || place < 0 {
		return 0, "its key is a negative revision"
	}
	stored, err := readKeyValue(e.value)
	switch {
	case err != nil:
		return revision, fmt.Sprintf("revision %d: its value is no key and value of etcd: %v", revision, err)
	case len(e.value) == 0:
		// What a restore with a revision bump leaves (unsafeBumpBucketsRevision in
		// etcdutl/snapshot/v3_snapshot.go).
		return revision, ""
	case len(stored.key) == 0:
		return revision, fmt.Sprintf("revision %d: its value names no key", revision)
	case !deletion && stored.modified != revision:
		return revision, fmt.Sprintf("revision %d: %s in it says that it is of revision %d", revision, printable(stored.key), stored.modified)
	}
	return revision, ""
}

// printable is a key for people. A damaged one may hold bytes of a value, which
// nobody is to see.
func printable(key []byte) string {
	const most = 200
	if len(key) > most || bytes.ContainsFunc(key, func(r rune) bool { return r >= 0x7f || !strconv.IsPrint(r) }) {
		return "a key that can't be shown"
	}
	return string(key)
}
