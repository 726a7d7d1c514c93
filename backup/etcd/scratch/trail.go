package scratch

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// trail follows the changes in the key bucket. etcd numbers revisions, and the
// changes within one, without a gap (put and delete in
// server/storage/mvcc/kvstore_txn.go), and only a compaction removes any, up to a
// revision that it writes down. So a change that was taken out of a snapshot leaves
// a gap behind: the deletion of an object that would come back to life, or the
// last word on one.
type trail struct{ stretches []stretch }

// change is one entry of the key bucket.
type change struct{ revision, place int64 }

// stretch is what one page has of the trail. Of its gaps it keeps the last, behind
// which nothing was ever compacted if that is so before any other.
type stretch struct {
	first, last change
	gap         gap
}

// gap is where changes are missing; zero when none are.
type gap struct{ before, after change }

func (c change) follows(before change) bool {
	return c.revision == before.revision && c.place == before.place+1 || c.revision == before.revision+1 && c.place == 0
}

func (c change) compare(other change) int {
	return cmp.Or(cmp.Compare(c.revision, other.revision), cmp.Compare(c.place, other.place))
}

// walk takes in a page, whose keys are in their order.
func (s *stretch) walk(key []byte) {
	next := change{int64(binary.BigEndian.Uint64(key)), int64(binary.BigEndian.Uint64(key[9:]))}
	if s.last == (change{}) {
		s.first = next
	} else if !next.follows(s.last) {
		s.gap = gap{s.last, next}
	}
	s.last = next
}

// torn gives the last gap that no compaction up to a revision explains.
func (t *trail) torn(compacted int64) (gap, bool) {
	slices.SortFunc(t.stretches, func(a, b stretch) int { return a.first.compare(b.first) })
	compacted = max(compacted, 1) // a store that is empty is at revision 1
	last := gap{}
	before := change{revision: 1}
	for _, s := range t.stretches {
		if !s.first.follows(before) {
			last = gap{before, s.first}
		}
		if s.gap != (gap{}) {
			last = s.gap
		}
		before = s.last
	}
	explained := last.after.revision <= compacted ||
		last.before.revision <= compacted && last.after.follows(change{revision: compacted})
	return last, last != (gap{}) && !explained
}
