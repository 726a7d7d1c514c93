package scratch

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
)

// The format is that of go.etcd.io/bbolt/internal/common (page.go, meta.go,
// bucket.go). bbolt itself trusts a file that it has mapped; here nothing is
// believed that has not been held against the bounds, so that damage is found
// and named instead of dying of it.
const (
	headerSize  = 16 // of a page: id uint64, flags uint16, count uint16, overflow uint32
	elementSize = 16 // of branch and leaf pages alike
	metaSize    = 64 // the checksum included, its last 8 bytes
	bucketSize  = 16 // root uint64, sequence uint64

	boltMagic   = 0xED0CDAED
	boltVersion = 2

	branchFlag   = 0x01
	leafFlag     = 0x02
	metaFlag     = 0x04
	freelistFlag = 0x10
	bucketFlag   = 0x01 // of a leaf's element

	noFreelist = ^uint64(0) // etcd keeps none on disk and finds free pages when it opens the file

	smallestPage = 1 << 10
	largestPage  = 1 << 24
)

// layout is a database as its newest meta page describes it.
type layout struct {
	data     []byte // the file without its trailer
	pageSize uint64
	pages    uint64 // page ids are below it
	root     uint64
	freelist uint64
}

// readLayout reads both meta pages; the newer that is whole counts, as in bbolt.
// A snapshot has two whole ones, so that one that isn't is damage. It returns
// nil when there is none.
func readLayout(data []byte, d *damage) *layout {
	first, wrong := readMeta(data, 0, 0)
	if wrong != "" {
		d.add(0, "page 0 (meta): %s", wrong)
	}
	var second *meta
	if first != nil {
		if second, wrong = readMeta(data, 1, first.layout.pageSize); wrong != "" {
			d.add(1, "page 1 (meta): %s", wrong)
		}
	} else {
		// Where the second one is depends on the page size, which the first one would tell.
		for size := uint64(smallestPage); size <= largestPage && second == nil; size *= 2 {
			second, _ = readMeta(data, 1, size)
		}
	}
	newest := first
	if newest == nil || second != nil && second.transaction > newest.transaction {
		newest = second
	}
	if newest == nil {
		d.add(1, "neither of its two meta pages is whole: it is no etcd database, or its beginning is lost")
		return nil
	}
	l := newest.layout
	if has := uint64(len(data)) / l.pageSize; l.pages > has {
		d.add(l.pages, "it is cut short: of its %d pages of %d bytes %d are there", l.pages, l.pageSize, has)
	}
	return &l
}

type meta struct {
	layout      layout
	transaction uint64
}

// readMeta reads the meta page of that id.
func readMeta(data []byte, id, pageSize uint64) (m *meta, wrong string) {
	at := id * pageSize
	if at+headerSize+metaSize > uint64(len(data)) {
		return nil, "it is past the end of the file"
	}
	native := binary.NativeEndian
	header, body := data[at:], data[at+headerSize:]
	sum := fnv.New64a()
	_, _ = sum.Write(body[:metaSize-8])
	m = &meta{
		layout: layout{
			data:     data,
			pageSize: uint64(native.Uint32(body[8:])),
			root:     native.Uint64(body[16:]),
			freelist: native.Uint64(body[32:]),
			pages:    native.Uint64(body[40:]),
		},
		transaction: native.Uint64(body[48:]),
	}
	size := m.layout.pageSize
	switch {
	case native.Uint32(body) != boltMagic:
		return nil, "it does not begin as a bolt database does"
	case native.Uint32(body[4:]) != boltVersion:
		return nil, fmt.Sprintf("it is of format %d, known is %d", native.Uint32(body[4:]), boltVersion)
	case native.Uint64(body[metaSize-8:]) != sum.Sum64():
		return nil, "its checksum does not fit"
	case size < smallestPage || size > largestPage || size&(size-1) != 0 || id != 0 && size != pageSize:
		return nil, fmt.Sprintf("its pages would be of %d bytes", size)
	}
	if own, flags := native.Uint64(header), native.Uint16(header[8:]); own != id || flags != metaFlag {
		return m, fmt.Sprintf("it says that it is page %d of kind %#x", own, flags)
	}
	return m, ""
}

// page is one page with its overflow; one of an inline bucket has no id.
type page struct {
	flags uint16
	count int
	// overflow is how many pages belong to it besides its own.
	overflow uint64
	data     []byte
}

// page gives a page, or what is wrong with it. Both are empty for one that lies
// past the end of the file, which has been told.
func (l *layout) page(id uint64) (p page, wrong string) {
	if id < 2 || id >= l.pages {
		return page{}, fmt.Sprintf("there is no such page: they are 2 to %d", l.pages-1)
	}
	has := uint64(len(l.data)) / l.pageSize
	if id >= has {
		return page{}, ""
	}
	p = readPage(l.data[id*l.pageSize:])
	if own := binary.NativeEndian.Uint64(l.data[id*l.pageSize:]); own != id {
		return page{}, fmt.Sprintf("it says that it is page %d", own)
	}
	end := id + 1 + p.overflow
	if end > l.pages {
		return page{}, fmt.Sprintf("it would reach to page %d of %d", end-1, l.pages-1)
	}
	if end > has {
		return page{}, ""
	}
	p.data = l.data[id*l.pageSize : end*l.pageSize]
	return p, ""
}

func readPage(data []byte) page {
	native := binary.NativeEndian
	return page{flags: native.Uint16(data[8:]), count: int(native.Uint16(data[10:])), overflow: uint64(native.Uint32(data[12:])), data: data}
}

// child is an element of a branch: the page that it leads to.
func (p *page) child(i int) (id uint64, at, keySize uint64) {
	offset := headerSize + uint64(i)*elementSize
	element := p.data[offset:]
	native := binary.NativeEndian
	return native.Uint64(element[8:]), offset + uint64(native.Uint32(element)), uint64(native.Uint32(element[4:]))
}

// item is an element of a leaf.
func (p *page) item(i int) (flags uint32, at, keySize, valueSize uint64) {
	offset := headerSize + uint64(i)*elementSize
	element := p.data[offset:]
	native := binary.NativeEndian
	return native.Uint32(element), offset + uint64(native.Uint32(element[4:])), uint64(native.Uint32(element[8:])), uint64(native.Uint32(element[12:]))
}

// table is where the elements end and keys and values begin; false when the
// page is too small for as many elements as it claims.
func (p *page) table() (end uint64, fits bool) {
	end = headerSize + uint64(p.count)*elementSize
	return end, end <= uint64(len(p.data))
}
