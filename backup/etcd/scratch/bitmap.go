package scratch

import "sync/atomic"

// newBitmap is as large as the file, whatever its meta page claims.
func newBitmap(l *layout) []uint64 {
	return make([]uint64, min(l.pages, uint64(len(l.data))/l.pageSize)/64+1)
}

// mark sets a bit and says whether it was set before. Ids past the end were
// told of before.
func mark(bitmap []uint64, id uint64) (before bool) {
	if id/64 >= uint64(len(bitmap)) {
		return false
	}
	bit := uint64(1) << (id % 64)
	return atomic.OrUint64(&bitmap[id/64], bit)&bit != 0
}

func marked(bitmap []uint64, id uint64) bool { return bitmap[id/64]&(1<<(id%64)) != 0 }
