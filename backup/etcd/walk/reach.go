package walk

import (
	"bytes"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// reach decides where the range of the next request ends. A limit alone is not
// enough: to answer how many keys a range holds, etcd visits all of them for
// every page (Revisions in server/storage/mvcc/index.go), so that paging
// through a million keys up to the end of the prefix would visit hundreds of
// millions, under a lock that writers wait for. The range should hold little
// more than the page, then. All that is known of the keys to come is what those
// before them looked like.
//
// Keys are taken for a tree with a level for each byte. A range ends at its
// start cut to depth bytes, with the last byte raised by step.
type reach struct {
	prefix, last []byte // last is the end of the prefix
	depth, step  int
	empty        int    // ranges without a key, one after another
	namespace    []byte // of the last key: all of it up to the last slash
}

func newReach(prefix []byte) reach {
	return reach{prefix: prefix, last: prefixEnd(prefix), depth: len(prefix), step: 1}
}

// end gives the end of a range that begins at start.
func (r *reach) end(start []byte) []byte {
	end := bytes.Clone(start[:min(r.depth, len(start))])
	for step := r.step; len(end) > len(r.prefix); step = 1 {
		i := len(end) - 1
		for range step {
			end[i] = next(end[i])
		}
		if end[i] != 0 {
			return end
		}
		end = end[:i]
	}
	return r.last
}

// next is the byte after another, and 0 after the last. Between digits and small
// letters lies little that names are made of: it counts as one.
func next(b byte) byte {
	if b > '9' && b < 'a' {
		return 'b'
	}
	if b == 0 {
		return 0
	}
	return b + 1
}

// mostSteps is how many neighbours are taken together before their parent is.
const mostSteps = 16

// mostGap is how many neighbours are tried together where there were none.
const mostGap = 4

// mostEmpty is how many ranges are found empty before a whole namespace is left.
const mostEmpty = 4

// learn fits the reach to an answer: the keys of the page, how many there are
// in the range, and how many were asked for.
func (r *reach) learn(start []byte, kvs []*mvccpb.KeyValue, count, limit int64) {
	if r.empty++; len(kvs) > 0 {
		last := kvs[len(kvs)-1].Key
		r.empty, r.namespace = 0, bytes.Clone(last[:bytes.LastIndexByte(last, '/')])
	}
	switch {
	case r.empty == mostEmpty && len(r.namespace) > len(r.prefix) && bytes.HasPrefix(start, r.namespace) && len(r.namespace) < r.depth:
		r.depth, r.step = len(r.namespace), 1 // it seems to be at its end
	case len(kvs) == 0 && len(start) > r.depth:
		r.step = 1 // the rest of a subtree was empty: its neighbour is next
	case len(kvs) == 0 && start[len(start)-1] <= 'z' && (r.step < mostGap || r.depth == len(r.prefix)+1):
		r.step *= 2 // so was the neighbour: names leave letters out
	case len(kvs) == 0:
		r.depth, r.step = max(r.depth-1, len(r.prefix)), 1 // the rest of their parent
	case count > 2*limit && count <= 4*limit && r.step > 1:
		r.step /= 2
	case count > 2*limit:
		// What the keys of a page have in common, those close behind them have too.
		first, last := kvs[0].Key, kvs[len(kvs)-1].Key
		if len(kvs) == 1 {
			first = start
		}
		r.depth, r.step = max(commonPrefix(first, last), r.depth)+1, 1
	case count < limit*3/4 && r.step < mostSteps:
		r.step *= 2
	case count < limit*3/4:
		r.depth, r.step = max(r.depth-1, len(r.prefix)), 1
	}
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// prefixEnd is the first key behind all that have the prefix, which begins with
// a slash.
func prefixEnd(prefix []byte) []byte {
	end := bytes.Clone(bytes.TrimRight(prefix, "\xff"))
	end[len(end)-1]++
	return end
}

// behind is the first key behind a key.
func behind(key []byte) []byte { return append(bytes.Clone(key), 0) }
