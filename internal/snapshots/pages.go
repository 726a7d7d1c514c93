package snapshots

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// This reads the pages of a bolt database without the bolt library, which maps
// the file into memory and trusts it: on a damaged one it dies by a signal, or
// follows a page that holds itself until the stack is full, and neither can be
// caught. Here every offset is checked, every read is counted, and a tree can
// only be so deep. The format is that of go.etcd.io/bbolt/internal/common.

const (
	pageHeader  = 16 // id uint64, flags uint16, count uint16, overflow uint32
	elementSize = 16 // of branch and leaf pages alike
	metaSize    = 64 // with its checksum, the last 8 bytes
	bucketSize  = 16 // root uint64, sequence uint64

	boltMagic   = 0xED0CDAED
	boltVersion = 2

	flagBranch = 0x01
	flagLeaf   = 0x02
	flagBucket = 0x01 // of a leaf's element

	smallestPage = 1 << 10
	largestPage  = 1 << 25
	deepest      = 32
)

// errEnough ends a walk that has read as much as it may.
var errEnough = errors.New("read enough")

// database is a bolt file that is read page by page.
type database struct {
	file     io.ReaderAt
	pageSize int64
	pages    uint64 // page ids are below it
	root     uint64
	// budget is how many bytes may still be read.
	budget int64
}

// page is one page, its overflow included. Those of inline buckets have no id.
type page struct {
	flags uint16
	count int
	data  []byte
}

// openDatabase reads the newer of the two meta pages that is whole.
func openDatabase(file io.ReaderAt, size, budget int64) (*database, error) {
	var newest *database
	var last uint64
	take := func(at int64) bool {
		buffer := make([]byte, pageHeader+metaSize)
		if _, err := file.ReadAt(buffer, at); err != nil {
			return false
		}
		meta := buffer[pageHeader:]
		sum := fnv.New64a()
		_, _ = sum.Write(meta[:metaSize-8])
		le := binary.LittleEndian
		pageSize := int64(le.Uint32(meta[8:]))
		switch {
		case le.Uint32(meta) != boltMagic, le.Uint32(meta[4:]) != boltVersion, le.Uint64(meta[56:]) != sum.Sum64():
			return false
		case pageSize < smallestPage || pageSize > largestPage || pageSize&(pageSize-1) != 0 || at != 0 && at != pageSize:
			return false
		}
		if transaction := le.Uint64(meta[48:]); newest == nil || transaction > last {
			newest = &database{file: file, pageSize: pageSize, root: le.Uint64(meta[16:]), pages: le.Uint64(meta[40:]), budget: budget}
			last = transaction
		}
		return true
	}
	if take(0) {
		take(newest.pageSize)
	} else {
		for at := int64(smallestPage); at <= largestPage && !take(at); at *= 2 {
		}
	}
	if newest == nil {
		return nil, errors.New("it is no etcd database, or its first pages are damaged")
	}
	if has := uint64(size / newest.pageSize); newest.pages > has {
		return nil, fmt.Errorf("it is cut short: its %d pages of %d bytes are not all there, %d are", newest.pages, newest.pageSize, has)
	}
	return newest, nil
}

// page reads one page.
func (d *database) page(id uint64) (page, error) {
	if id < 2 || id >= d.pages {
		return page{}, fmt.Errorf("it is damaged: page %d is referred to, those there are 2 to %d", id, d.pages-1)
	}
	data, err := d.read(int64(id)*d.pageSize, d.pageSize)
	if err != nil {
		return page{}, err
	}
	le := binary.LittleEndian
	if own := le.Uint64(data); own != id {
		return page{}, fmt.Errorf("it is damaged: page %d says that it is page %d", id, own)
	}
	if overflow := uint64(le.Uint32(data[12:])); overflow > 0 {
		if overflow >= d.pages-id {
			return page{}, fmt.Errorf("it is damaged: page %d goes on past the end", id)
		}
		rest, err := d.read(int64(id+1)*d.pageSize, int64(overflow)*d.pageSize)
		if err != nil {
			return page{}, err
		}
		data = append(data, rest...)
	}
	return page{flags: le.Uint16(data[8:]), count: int(le.Uint16(data[10:])), data: data}, nil
}

func (d *database) read(at, length int64) ([]byte, error) {
	if d.budget -= length; d.budget < 0 {
		return nil, errEnough
	}
	data := make([]byte, length)
	if _, err := d.file.ReadAt(data, at); err != nil {
		return nil, fmt.Errorf("reading %d bytes at %d: %w", length, at, err)
	}
	return data, nil
}

// child is the page that a branch's element leads to, and the first key below it.
func (p page) child(i int) (id uint64, key []byte, err error) {
	element, err := p.part(pageHeader+int64(i)*elementSize, elementSize)
	if err != nil {
		return 0, nil, err
	}
	le := binary.LittleEndian
	key, err = p.part(pageHeader+int64(i)*elementSize+int64(le.Uint32(element)), int64(le.Uint32(element[4:])))
	return le.Uint64(element[8:]), key, err
}

// item is an element of a leaf.
func (p page) item(i int) (flags uint32, key, value []byte, err error) {
	element, err := p.part(pageHeader+int64(i)*elementSize, elementSize)
	if err != nil {
		return 0, nil, nil, err
	}
	le := binary.LittleEndian
	at := pageHeader + int64(i)*elementSize + int64(le.Uint32(element[4:]))
	keySize, valueSize := int64(le.Uint32(element[8:])), int64(le.Uint32(element[12:]))
	if key, err = p.part(at, keySize); err != nil {
		return 0, nil, nil, err
	}
	value, err = p.part(at+keySize, valueSize)
	return le.Uint32(element), key, value, err
}

func (p page) part(at, length int64) ([]byte, error) {
	if at > int64(len(p.data)) || length > int64(len(p.data))-at {
		return nil, errors.New("it is damaged: an element reaches out of its page")
	}
	return p.data[at : at+length], nil
}

// bucket finds a bucket of the root by its name and gives its first page.
func (d *database) bucket(name string) (page, error) {
	at, err := d.page(d.root)
	for depth := 0; err == nil && at.flags == flagBranch && depth < deepest; depth++ {
		var next uint64
		if next, err = at.below([]byte(name)); err == nil {
			at, err = d.page(next)
		}
	}
	if err != nil {
		return page{}, err
	}
	if at.flags != flagLeaf {
		return page{}, errors.New("it is damaged: where its buckets should be is none")
	}
	for i := range at.count {
		flags, key, value, err := at.item(i)
		if err != nil {
			return page{}, err
		}
		if string(key) != name || flags&flagBucket == 0 {
			continue
		}
		if len(value) < bucketSize {
			return page{}, fmt.Errorf("it is damaged: bucket %s is cut short", name)
		}
		if root := binary.LittleEndian.Uint64(value); root != 0 {
			return d.page(root)
		}
		return inline(value[bucketSize:])
	}
	return page{}, fmt.Errorf("it holds no bucket %q: it is no database of etcd", name)
}

// inline is the page of a small bucket, which is stored in its parent's.
func inline(data []byte) (page, error) {
	if len(data) < pageHeader {
		return page{}, errors.New("it is damaged: a bucket is cut short")
	}
	le := binary.LittleEndian
	return page{flags: le.Uint16(data[8:]), count: int(le.Uint16(data[10:])), data: data}, nil
}

// below is the page under a branch that would hold a key.
func (p page) below(key []byte) (uint64, error) {
	found := uint64(0)
	for i := range p.count {
		id, first, err := p.child(i)
		if err != nil {
			return 0, err
		}
		if i > 0 && bytes.Compare(first, key) > 0 {
			break
		}
		found = id
	}
	return found, nil
}

// backwards visits the keys of a bucket from the last to the first, until visit
// says that it has seen enough.
func (d *database) backwards(from page, visit func(key, value []byte) error) error {
	return d.descend(from, 0, visit)
}

func (d *database) descend(at page, depth int, visit func(key, value []byte) error) error {
	switch {
	case at.flags == flagLeaf:
		for i := at.count - 1; i >= 0; i-- {
			_, key, value, err := at.item(i)
			if err != nil {
				return err
			}
			if err := visit(key, value); err != nil {
				return err
			}
		}
		return nil
	case at.flags != flagBranch:
		return fmt.Errorf("it is damaged: a page of kind %#x is among those of keys", at.flags)
	case depth >= deepest:
		return errors.New("it is damaged: its pages lead in a circle")
	}
	for i := at.count - 1; i >= 0; i-- {
		id, _, err := at.child(i)
		if err != nil {
			return err
		}
		next, err := d.page(id)
		if err != nil {
			return err
		}
		if err := d.descend(next, depth+1, visit); err != nil {
			return err
		}
	}
	return nil
}
