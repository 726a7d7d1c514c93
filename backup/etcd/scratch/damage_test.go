package scratch

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// surgery is a database that is damaged in one way.
type surgery struct {
	t    *testing.T
	data []byte
	l    *layout
}

// pages gives those of a kind that are in use, in order.
func (s *surgery) pages(kind uint16) (ids []uint64) {
	s.t.Helper()
	w := newWalk(s.t.Context(), s.l, &damage{}, 1)
	if _, err := w.readDatabase(); err != nil {
		s.t.Fatal(err)
	}
	for id := uint64(2); id < s.l.pages; id++ {
		if p, _ := s.l.page(id); marked(w.reached, id) && p.flags == kind && id != s.l.root {
			ids = append(ids, id)
		}
	}
	return ids
}

// leaf gives the keys of the n-th leaf below the branch, and their values, to be changed.
func (s *surgery) leaf(n int) (keys, values [][]byte) {
	s.t.Helper()
	branch, _ := s.l.page(s.pages(branchFlag)[0])
	id, _, _ := branch.child(n)
	p, _ := s.l.page(id)
	for i := range p.count {
		_, at, keySize, valueSize := p.item(i)
		keys = append(keys, p.data[at:at+keySize])
		values = append(values, p.data[at+keySize:at+keySize+valueSize])
	}
	return keys, values
}

func (s *surgery) freelist() []byte {
	p, _ := s.l.page(s.l.freelist)
	return p.data[headerSize : headerSize+8*p.count]
}

func TestEachKindOfDamageIsNamed(t *testing.T) {
	native := binary.NativeEndian
	tests := map[string]struct {
		damage func(s *surgery)
		want   string
	}{
		"keys out of order": {func(s *surgery) {
			keys, _ := s.leaf(1)
			copy(keys[1], keys[0])
		}, "the key of entry 1 is not after the one before"},
		"a key that belongs to the next page": {func(s *surgery) {
			keys, _ := s.leaf(1)
			next, _ := s.leaf(2)
			copy(keys[len(keys)-1], next[0])
		}, "is after those that belong here"},
		"a key that belongs to the page before": {func(s *surgery) {
			keys, _ := s.leaf(1)
			before, _ := s.leaf(0)
			copy(keys[0], before[len(before)-1])
		}, "its first key is before those that belong here"},
		"a key that is no revision": {func(s *surgery) {
			keys, _ := s.leaf(1)
			keys[0][8] = '-'
		}, "its key is no revision"},
		"a value of another revision": {func(s *surgery) {
			_, values := s.leaf(1)
			at := bytes.IndexByte(values[0], 3<<3) // the tag of its revision
			values[0][at+1] ^= 1
		}, "in it says that it is of revision"},
		"a value that can't be read": {func(s *surgery) {
			_, values := s.leaf(1)
			values[0][1] = 0x7f
		}, "its value is no key and value of etcd"},
		"a page used twice": {func(s *surgery) {
			p, _ := s.l.page(s.pages(branchFlag)[0])
			copy(p.data[headerSize+elementSize+8:], p.data[headerSize+8:headerSize+16])
		}, "it is used twice"},
		"a page of another kind": {func(s *surgery) {
			p, _ := s.l.page(s.pages(leafFlag)[1])
			native.PutUint16(p.data[8:], freelistFlag)
		}, "it is of kind 0x10, where keys should be"},
		"a page that is another": {func(s *surgery) {
			p, _ := s.l.page(s.pages(leafFlag)[1])
			native.PutUint64(p.data, 4711)
		}, "it says that it is page 4711"},
		"a page that was emptied": {func(s *surgery) {
			p, _ := s.l.page(s.pages(leafFlag)[1])
			native.PutUint16(p.data[10:], 0)
		}, "it is empty"},
		"a page with one key less": {func(s *surgery) {
			p, _ := s.l.page(s.pages(leafFlag)[1])
			native.PutUint16(p.data[10:], uint16(p.count-1))
		}, "is next"},
		"a page that is not there": {func(s *surgery) {
			p, _ := s.l.page(s.pages(branchFlag)[0])
			native.PutUint64(p.data[headerSize+8:], s.l.pages)
		}, "there is no such page"},
		"a page in use that is listed as free": {func(s *surgery) {
			native.PutUint64(s.freelist(), s.pages(leafFlag)[0])
		}, "is in use and listed as free"},
		"a page listed twice": {func(s *surgery) {
			copy(s.freelist()[8:], s.freelist()[:8])
		}, "is listed twice as free"},
		"a page that is lost": {func(s *surgery) {
			copy(s.freelist()[8:], s.freelist()[:8])
		}, "is lost: neither in use nor free"},
		"a free page that is not there": {func(s *surgery) {
			native.PutUint64(s.freelist(), s.l.pages)
		}, "it lists page"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := &surgery{t: t, data: synced(t, 300)}
			s.l = readLayout(s.data, &damage{})
			test.damage(s)
			named := walkBytes(t, s.data).damage.named()
			if !strings.Contains(strings.Join(named, "\n"), test.want) {
				t.Errorf("found %q, want %q", named, test.want)
			}
		})
	}
}

// Values can be Secrets; a damaged page shows them as keys.
func TestDamageShowsNoValue(t *testing.T) {
	value := []byte("k8s\x00\x0apassword: hunter2")
	kv := entry{key: revisionKey(5), value: append([]byte{1<<3 | 2, byte(len(value))}, value...)}
	if _, wrong := readEntry(&kv); wrong == "" || strings.Contains(wrong, "hunter2") {
		t.Errorf("got %q", wrong)
	}
}
