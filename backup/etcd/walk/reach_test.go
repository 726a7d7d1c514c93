package walk

import (
	"bytes"
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// pageThrough reads sorted keys as etcd answers ranges, and gives what it read,
// in how many requests, and how many keys etcd had to visit for them.
func pageThrough(keys [][]byte, prefix []byte, limit int64) (read [][]byte, requests, visited int) {
	r := newReach(prefix)
	for start := prefix; !bytes.Equal(start, r.last); requests++ {
		end := r.end(start)
		if bytes.Compare(end, start) <= 0 {
			panic(fmt.Sprintf("a range that ends before it begins: %q to %q", start, end))
		}
		from, _ := slices.BinarySearchFunc(keys, start, bytes.Compare)
		to, _ := slices.BinarySearchFunc(keys, end, bytes.Compare)
		visited += to - from
		var page []*mvccpb.KeyValue
		for _, key := range keys[from:min(to, from+int(limit))] {
			page = append(page, &mvccpb.KeyValue{Key: key})
			read = append(read, key)
		}
		r.learn(start, page, int64(to-from), limit)
		if start = end; len(page) < to-from {
			start = behind(page[len(page)-1].Key)
		}
	}
	return read, requests, visited
}

func keysOf(n int, name func(i int) string) [][]byte {
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = []byte("/registry/" + name(i))
	}
	slices.SortFunc(keys, bytes.Compare)
	return slices.CompactFunc(keys, bytes.Equal)
}

// However keys are spread, each is read once, in few requests, and the ranges
// hold little more than what is read of them.
func TestReachOfRanges(t *testing.T) {
	random := rand.New(rand.NewSource(7))
	word := func(n int) string {
		const letters = "bcdfghjklmnpqrstvwxz2456789"
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[random.Intn(len(letters))]
		}
		return string(b)
	}
	kinds := []string{"apps.example/widgets", "configmaps", "deployments", "endpointslices", "events", "leases", "pods", "replicasets",
		"secrets", "serviceaccounts", "services/endpoints", "services/specs", "zebras"}
	const limit = 500
	for name, keys := range map[string][][]byte{
		"none":                nil,
		"one":                 keysOf(1, func(int) string { return "pods/a/b" }),
		"two large resources": keysOf(100_000, func(i int) string { return fmt.Sprintf("%s/team-%02d/web-%06d", kinds[1+i%2*5], i%40, i) }),
		"one namespace":       keysOf(100_000, func(int) string { return fmt.Sprintf("pods/shop/web-%s-%s", word(10), word(5)) }),
		"small namespaces":    keysOf(100_000, func(i int) string { return fmt.Sprintf("%s/ns-%04d/%s", kinds[i%len(kinds)], i%5000, word(8)) }),
		"one deep one":        append(keysOf(3, func(i int) string { return fmt.Sprint("configmaps/a/", i) }), keysOf(20_000, func(i int) string { return fmt.Sprintf("pods/shop/%s%08d", string(bytes.Repeat([]byte("x"), 200)), i) })...),
		"strange bytes":       keysOf(20_000, func(int) string { b := make([]byte, 6); random.Read(b); return string(b) }),
		"all alike":           keysOf(5000, func(i int) string { return string(bytes.Repeat([]byte{0xff}, i+1)) }),
	} {
		t.Run(name, func(t *testing.T) {
			read, requests, visited := pageThrough(keys, []byte("/registry/"), limit)
			if !slices.EqualFunc(read, keys, bytes.Equal) {
				t.Fatalf("read %d keys of %d", len(read), len(keys))
			}
			t.Logf("%d keys, %d requests, %.2f visits a key", len(keys), requests, float64(visited)/float64(max(len(keys), 1)))
			if most := 1000 + 6*len(keys)/limit; requests > most {
				t.Errorf("%d requests, want at most %d", requests, most)
			}
			if most := 6*len(keys) + 100; visited > most {
				t.Errorf("%d visits, want at most %d", visited, most)
			}
		})
	}
}

func FuzzReach(f *testing.F) {
	f.Add([]byte("pods/a/b\npods/a/c\n\xff\xff\nz"), int64(1))
	f.Fuzz(func(t *testing.T, names []byte, limit int64) {
		if limit < 1 || limit > 100 {
			return
		}
		lines := bytes.Split(names, []byte("\n"))
		keys := keysOf(len(lines), func(i int) string { return string(lines[i]) })
		read, requests, _ := pageThrough(keys, []byte("/registry/"), limit)
		if !slices.EqualFunc(read, keys, bytes.Equal) {
			t.Fatalf("read %q of %q", read, keys)
		}
		if requests > 100+20*len(names) {
			t.Fatalf("%d requests for %d keys", requests, len(keys))
		}
	})
}
