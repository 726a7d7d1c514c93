package scratch

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

func body(s []byte) []byte { return s[:len(s)-sha256.Size] }

func TestWalkFindsNothingWrongWithASoundDatabase(t *testing.T) {
	s := snapshotOf(t)
	w := walkBytes(t, body(s.data))
	if named := w.damage.named(); len(named) > 0 {
		t.Errorf("found %q in a sound database", named)
	}
	if int64(w.db.layout.pages)*int64(w.db.layout.pageSize) != int64(len(body(s.data))) {
		t.Errorf("%d pages of %d bytes in a database of %d", w.db.layout.pages, w.db.layout.pageSize, len(body(s.data)))
	}
	var entries, newest int64
	eachEntry(t, s.data, func(k, _ []byte) {
		entries++
		newest = int64(binary.BigEndian.Uint64(k))
	})
	if w.db.entries.count != entries || w.db.entries.newest != newest || entries < 6000 {
		t.Errorf("%d entries up to revision %d, bbolt sees %d up to %d", w.db.entries.count, w.db.entries.newest, entries, newest)
	}
}

func eachEntry(t *testing.T, data []byte, visit func(k, v []byte)) {
	t.Helper()
	db, err := bolt.Open(write(t, data), 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_ = db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("key")).ForEach(func(k, v []byte) error { visit(k, v); return nil })
	})
}

// regions are the bytes of a database that mean something to bbolt, by what
// they are: page headers, element tables, keys. Values are left to the sha256.
func regions(t *testing.T, data []byte) map[string][]int {
	t.Helper()
	w := walkBytes(t, data)
	l := w.db.layout
	found := map[string][]int{}
	add := func(name string, from, to int) {
		for at := from; at < to; at++ {
			found[name] = append(found[name], at)
		}
	}
	for id := range 2 {
		add(fmt.Sprintf("meta page %d", id), id*int(l.pageSize)+headerSize, id*int(l.pageSize)+headerSize+metaSize)
	}
	seen := newWalk(t.Context(), l, &damage{}, 1)
	if _, err := seen.readDatabase(); err != nil {
		t.Fatal(err)
	}
	for id := uint64(2); id < l.pages; id++ {
		start := int(id * l.pageSize)
		p, wrong := l.page(id)
		if !marked(seen.reached, id) || wrong != "" {
			continue
		}
		end, _ := p.table()
		switch p.flags {
		case branchFlag:
			add("branch header", start, start+headerSize)
			add("branch table", start+headerSize, start+int(end))
			for i := range p.count {
				_, at, size := p.child(i)
				add("branch key", start+int(at), start+int(at+size))
			}
		case leafFlag:
			add("leaf header", start, start+headerSize)
			add("leaf table", start+headerSize, start+int(end))
			for i := range p.count {
				_, at, size, _ := p.item(i)
				add("leaf key", start+int(at), start+int(at+size))
			}
		case freelistFlag:
			add("freelist header", start, start+headerSize)
			add("freelist", start+headerSize, start+headerSize+8*p.count)
		}
		id += p.overflow
	}
	return found
}

// choose takes some flips of each region, always the same ones.
func choose(of map[string][]int, each int) map[string][]flip {
	random := rand.New(rand.NewPCG(7, 7))
	chosen := map[string][]flip{}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		places := of[name]
		for range each {
			chosen[name] = append(chosen[name], flip{places[random.IntN(len(places))], 1 << random.IntN(8)})
		}
	}
	return chosen
}

// synced is a database with a list of its free pages, as bbolt writes it by
// default and etcd before 3.4 did.
func synced(t testing.TB, keys int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "synced.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 4 {
		err := db.Update(func(tx *bolt.Tx) error {
			meta, err := tx.CreateBucketIfNotExists([]byte("meta"))
			if err != nil {
				return err
			}
			if err := meta.Put([]byte("finishedCompactRev"), revisionKey(int64(round*keys))); err != nil {
				return err
			}
			bucket, err := tx.CreateBucketIfNotExists([]byte("key"))
			if err != nil {
				return err
			}
			for i := range keys {
				revision := int64(round*keys + i + 1)
				kv := mvccpb.KeyValue{Key: fmt.Appendf(nil, "/registry/pods/%d", i), ModRevision: revision, Value: bytes.Repeat([]byte("v"), 100)}
				value, err := kv.Marshal()
				if err != nil {
					return err
				}
				if err := bucket.Put(revisionKey(revision), value); err != nil {
					return err
				}
				if round > 0 {
					if err := bucket.Delete(revisionKey(revision - int64(keys))); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func revisionKey(revision int64) []byte {
	key := make([]byte, revisionSize)
	binary.BigEndian.PutUint64(key, uint64(revision))
	key[8] = '_'
	return key
}

func TestWalkFindsWhateverBoltFinds(t *testing.T) {
	for name, data := range map[string][]byte{"as etcd writes it": body(snapshotOf(t).data), "with a list of free pages": synced(t, 4000)} {
		t.Run(name, func(t *testing.T) {
			if named := walkBytes(t, data).damage.named(); len(named) > 0 {
				t.Fatalf("found %q in a sound database", named)
			}
			of := regions(t, data)
			for _, region := range []string{"meta page 0", "meta page 1", "branch header", "branch table", "branch key", "leaf header", "leaf table", "leaf key"} {
				if len(of[region]) == 0 {
					t.Errorf("the database has no %s: nothing is shown of it", region)
				}
			}
			each := 60
			if testing.Short() {
				each = 4
			}
			for region, flips := range choose(of, each) {
				theirs := askReference(t, data, flips)
				found, foundByBolt := 0, 0
				for i, f := range flips {
					broken := bytes.Clone(data)
					broken[f.at] ^= f.mask
					ours := len(walkBytes(t, broken).damage.named()) > 0
					if theirs[i] {
						foundByBolt++
					}
					if ours {
						found++
					}
					if theirs[i] && !ours {
						t.Errorf("%s: bbolt finds a flip of byte %d (%#x), we don't", region, f.at, f.mask)
					}
				}
				t.Logf("%s: of %d flips bbolt finds %d, we find %d", region, len(flips), foundByBolt, found)
			}
		})
	}
}

// FuzzWalk changes a database in two places: whatever is in it, walking it ends,
// and does not crash.
func FuzzWalk(f *testing.F) {
	sound := synced(f, 100)
	f.Add(0, []byte{1}, 4096, []byte("\x00\x00"))
	f.Add(8192, []byte{2, 0, 0, 0}, 8200, []byte{1})
	f.Add(16400, bytes.Repeat([]byte{0xff}, 16), 12300, []byte{9})
	f.Fuzz(func(t *testing.T, at int, change []byte, at2 int, change2 []byte) {
		broken := bytes.Clone(sound)
		for _, place := range []int{at, at2} {
			if place < 0 || place > len(broken) {
				return
			}
		}
		copy(broken[at:], change)
		copy(broken[at2:], change2)
		reseal(broken)
		walkBytes(t, broken)
		walkBytes(t, broken[:at])
	})
}

// reseal makes the checksums of the meta pages fit, or nothing behind them would
// ever be looked at.
func reseal(data []byte) {
	for id := range 2 {
		sum := fnv.New64a()
		meta := data[id*os.Getpagesize()+headerSize:]
		_, _ = sum.Write(meta[:metaSize-8])
		binary.NativeEndian.PutUint64(meta[metaSize-8:], sum.Sum64())
	}
}
