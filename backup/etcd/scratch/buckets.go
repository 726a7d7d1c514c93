package scratch

import (
	"encoding/binary"

	"golang.org/x/sync/errgroup"
)

// database is what the walk of a whole database has found.
type database struct {
	layout  *layout
	entries entries
	facts   facts
}

// readDatabase walks everything in a database. What is wrong with it goes to
// damage; the error is that it could not be read.
func (w *walk) readDatabase() (*database, error) {
	db := &database{layout: w.layout, entries: entries{damage: w.damage}, facts: facts{damage: w.damage}}
	found := map[string]bool{}
	// The list is a page or two: it is walked here alone, so that found needs no lock.
	alone := *w
	alone.group = &errgroup.Group{}
	alone.group.SetLimit(0)
	root := &bucket{walk: &alone, name: "its list of buckets", ofBuckets: true}
	root.leaf = func(page uint64, list []entry) {
		for _, e := range list {
			found[string(e.key)] = true
			w.bucket(page, string(e.key), e.value, db)
		}
	}
	err := safely(func() {
		mark(w.reached, 0)
		mark(w.reached, 1)
		root.tree(w.layout.root)
	})
	if other := w.group.Wait(); err == nil {
		err = other
	}
	if err != nil {
		return nil, err
	}
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	for _, name := range []string{keyBucket, metaBucket} {
		if !found[name] {
			w.damage.add(w.layout.root, "page %d: bucket %s is missing: it is no database of etcd, or it is damaged", w.layout.root, name)
		}
	}
	return db, safely(w.checkFree)
}

// bucket walks one bucket, whose header is value.
func (w *walk) bucket(page uint64, name string, value []byte, db *database) {
	b := &bucket{walk: w, name: "bucket " + printable([]byte(name)), leaf: func(uint64, []entry) {}}
	switch name {
	case keyBucket:
		b.leaf = db.entries.leaf
	case metaBucket:
		b.leaf = db.facts.meta
	case membersBucket:
		b.leaf = db.facts.member
	case alarmBucket:
		b.leaf = db.facts.alarm
	}
	if len(value) < bucketSize {
		b.wrong(page, "its header is cut short")
		return
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		b.tree(root)
		return
	}
	b.inline(page, value[bucketSize:])
}

// inline reads a bucket so small that it lies within its parent's page.
func (b *bucket) inline(id uint64, data []byte) {
	if len(data) < headerSize {
		b.wrong(id, "it is cut short")
		return
	}
	p := readPage(data)
	if p.flags != leafFlag {
		b.wrong(id, "it is of kind %#x, where keys should be", p.flags)
		return
	}
	w := worker{bucket: b}
	if w.read(id, &p, nil, nil) {
		b.leaf(id, w.entries)
	}
}
