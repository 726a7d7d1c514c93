package scratch

import (
	"bytes"
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// deepest is more levels than any real tree has: each has at least two pages
// for one of the level above.
const deepest = 64

// walk goes through all pages of a database that can be reached, each once. It
// finds what bbolt's own check finds (tx_check.go), and in one pass what that one
// leaves to others: each page is the one that it says, the entries of a page lie
// one after the other without a gap, and what they hold makes sense to etcd.
type walk struct {
	ctx    context.Context //nolint:containedctx // of the one walk that this is
	layout *layout
	damage *damage
	// reached has a bit for each page.
	reached []uint64
	// group runs subtrees side by side while there are cores for them.
	group *errgroup.Group
}

func newWalk(ctx context.Context, l *layout, d *damage, parallel int) *walk {
	group := &errgroup.Group{}
	group.SetLimit(parallel)
	return &walk{ctx: ctx, layout: l, damage: d, group: group, reached: newBitmap(l)}
}

// entry is one key of a leaf with its value, both as they lie in the file.
type entry struct {
	flags      uint32
	key, value []byte
}

// bucket is one tree of keys.
type bucket struct {
	*walk
	name string
	// ofBuckets says that its entries are buckets; all others hold values alone.
	ofBuckets bool
	// leaf is given the sound entries of a leaf, which it must not hold on to. It
	// is called from several goroutines and in any order.
	leaf func(page uint64, entries []entry)
}

// tree walks the bucket from its root page.
func (b *bucket) tree(root uint64) {
	w := worker{bucket: b}
	w.descend(root, nil, nil, 0)
}

// worker walks one part of a tree with a buffer of its own.
type worker struct {
	*bucket
	entries []entry
}

func (b *bucket) wrong(page uint64, format string, args ...any) {
	b.damage.add(page, "page %d (%s): %s", page, b.name, fmt.Sprintf(format, args...))
}

// descend walks what is below a page, whose keys must be from first on and
// before next; nil is no bound.
func (w *worker) descend(id uint64, first, next []byte, depth int) {
	if w.ctx.Err() != nil {
		return
	}
	p, wrong := w.layout.page(id)
	if wrong != "" {
		w.wrong(id, "%s", wrong)
		return
	}
	if p.data == nil || !w.claim(id, p.overflow) {
		return
	}
	switch {
	case p.flags == leafFlag && (p.count > 0 || depth == 0):
		if w.read(id, &p, first, next) {
			w.leaf(id, w.entries)
		}
	case p.flags == branchFlag && p.count > 0 && depth < deepest:
		w.branch(id, &p, first, next, depth)
	case p.flags == branchFlag && depth >= deepest:
		w.wrong(id, "it is %d levels deep", depth)
	case p.flags == leafFlag || p.flags == branchFlag:
		w.wrong(id, "it is empty")
	default:
		w.wrong(id, "it is of kind %#x, where keys should be", p.flags)
	}
}

// claim takes a page and its overflow for this place in this tree.
func (w *worker) claim(id, overflow uint64) bool {
	for i := range overflow + 1 {
		if mark(w.reached, id+i) {
			w.wrong(id+i, "it is used twice")
			return false
		}
	}
	return true
}

func (w *worker) branch(id uint64, p *page, first, next []byte, depth int) {
	keys := w.keys(id, p, first, next)
	for i, key := range keys {
		below, _, _ := p.child(i)
		end := next
		if i+1 < len(keys) {
			end = keys[i+1]
		}
		if !w.group.TryGo(func() error {
			other := worker{bucket: w.bucket}
			return safely(func() { other.descend(below, key, end, depth+1) })
		}) {
			w.descend(below, key, end, depth+1)
		}
	}
}

// keys gives the keys of a branch; none when it can't be trusted.
func (w *worker) keys(id uint64, p *page, first, next []byte) [][]byte {
	at, fits := p.table()
	if !fits {
		w.wrong(id, "it has no room for its %d entries", p.count)
		return nil
	}
	keys := make([][]byte, 0, p.count)
	for i := range p.count {
		_, offset, size := p.child(i)
		if wrong := extent(p, at, offset, size, 0); wrong != "" {
			w.wrong(id, "entry %d %s", i, wrong)
			return nil
		}
		at += size
		keys = append(keys, p.data[offset:at])
	}
	var before []byte
	for i, key := range keys {
		w.order(id, i, key, before, first, next)
		before = key
	}
	return keys
}

// read takes the entries of a leaf into w.entries; false when they can't be trusted.
func (w *worker) read(id uint64, p *page, first, next []byte) bool {
	w.entries = w.entries[:0]
	at, fits := p.table()
	if !fits {
		w.wrong(id, "it has no room for its %d entries", p.count)
		return false
	}
	for i := range p.count {
		flags, offset, keySize, valueSize := p.item(i)
		if wrong := extent(p, at, offset, keySize, valueSize); wrong != "" {
			w.wrong(id, "entry %d %s", i, wrong)
			return false
		}
		if isBucket := flags&bucketFlag != 0; flags > bucketFlag || isBucket != w.ofBuckets {
			w.wrong(id, "entry %d is of kind %#x, which does not belong here", i, flags)
			return false
		}
		at += keySize + valueSize
		w.entries = append(w.entries, entry{flags: flags, key: p.data[offset : offset+keySize], value: p.data[offset+keySize : at]})
	}
	var before []byte
	for i := range w.entries {
		w.order(id, i, w.entries[i].key, before, first, next)
		before = w.entries[i].key
	}
	return true
}

// extent checks where an entry's key and value lie: right behind those of the
// one before, and within the page.
func extent(p *page, want, at, keySize, valueSize uint64) (wrong string) {
	switch {
	case at != want:
		return fmt.Sprintf("is at byte %d of the page, where %d is next", at, want)
	case keySize == 0:
		return "has no key"
	case at+keySize+valueSize > uint64(len(p.data)):
		return "reaches out of the page"
	}
	return ""
}

// order checks that a key is where one would look for it.
func (w *worker) order(id uint64, i int, key, before, first, next []byte) {
	switch {
	case i == 0 && first != nil && bytes.Compare(key, first) < 0:
		w.wrong(id, "its first key is before those that belong here")
	case i > 0 && bytes.Compare(before, key) >= 0:
		w.wrong(id, "the key of entry %d is not after the one before", i)
	case next != nil && bytes.Compare(key, next) >= 0:
		w.wrong(id, "the key of entry %d is after those that belong here", i)
	}
}
