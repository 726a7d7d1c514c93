package scratch

import "encoding/binary"

// checkFree checks the list of free pages, when the file has one: none of them
// is in use, and none is neither free nor in use. It comes after the walk.
func (w *walk) checkFree() {
	l := w.layout
	if l.freelist == noFreelist {
		return // every page that is not in use is free
	}
	p, wrong := l.page(l.freelist)
	switch {
	case wrong == "" && p.data == nil: // past the end, which was told
		return
	case wrong == "" && p.flags != freelistFlag:
		w.damage.add(l.freelist, "page %d (free pages): it is of kind %#x", l.freelist, p.flags)
		return
	case wrong != "":
		w.damage.add(l.freelist, "page %d (free pages): %s", l.freelist, wrong)
		return
	}
	for i := range p.overflow + 1 {
		if mark(w.reached, l.freelist+i) {
			w.damage.add(l.freelist+i, "page %d (free pages): it is used twice", l.freelist+i)
			return
		}
	}
	ids, count := p.data[headerSize:], uint64(p.count)
	if p.count == 0xFFFF { // too many for the header
		count, ids = binary.NativeEndian.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids))/8 {
		w.damage.add(l.freelist, "page %d (free pages): it has no room for %d of them", l.freelist, count)
		return
	}
	w.holdAgainst(ids[:count*8])
}

func (w *walk) holdAgainst(ids []byte) {
	l, sound := w.layout, w.damage.none()
	free := newBitmap(l)
	for ; len(ids) > 0; ids = ids[8:] {
		switch id := binary.NativeEndian.Uint64(ids); {
		case id < 2 || id >= l.pages:
			w.damage.add(l.freelist, "page %d (free pages): it lists page %d, and they are 2 to %d", l.freelist, id, l.pages-1)
		case id/64 >= uint64(len(free)): // past the end, which was told
		case mark(free, id):
			w.damage.add(id, "page %d is listed twice as free", id)
		case marked(w.reached, id):
			w.damage.add(id, "page %d is in use and listed as free", id)
		}
	}
	if !sound {
		return // what is below a damaged page was not reached
	}
	for id := uint64(2); id < l.pages; id++ {
		if !marked(free, id) && !marked(w.reached, id) {
			w.damage.add(id, "page %d is lost: neither in use nor free", id)
		}
	}
}
