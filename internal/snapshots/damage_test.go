package snapshots

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

// filled is a real snapshot with some levels of pages, and its bytes.
func filled(t testing.TB) []byte {
	t.Helper()
	client := etcd(t)
	now := time.Now()
	for i := range 1500 {
		name := fmt.Sprintf("p%d", i)
		put(t, client, key("pods", "shop", name), pod(t, name, now.Add(-time.Hour)))
	}
	put(t, client, key("configmaps", "shop", "large"), bytes.Repeat([]byte("x"), 100_000))
	for _, node := range []string{"n1", "n2", "n3"} {
		put(t, client, key("leases", "kube-node-lease", node), lease(t, node, now))
	}
	data, err := os.ReadFile(snapshot(t, client))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// look reads damaged bytes; anything but an answer in time is a failure.
func look(t testing.TB, data []byte) (Content, error) {
	t.Helper()
	began := time.Now()
	content, err := contentOf(bytes.NewReader(data), int64(len(data)), "/registry", began)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	return content, err
}

func TestDamage(t *testing.T) {
	data := filled(t)
	sound, err := look(t, data)
	if err != nil || sound.At.IsZero() {
		t.Fatalf("before any damage: %+v, %v", sound, err)
	}
	t.Run("cut short", func(t *testing.T) {
		for length := 0; length < len(data)-TrailerSize; length += 1 + len(data)/400 {
			_, err := look(t, data[:length])
			if err == nil || length > 1<<16 && !strings.Contains(err.Error(), "cut short") {
				t.Errorf("%d of %d bytes: %v", length, len(data), err)
			}
		}
	})
	t.Run("without its trailer", func(t *testing.T) {
		if content, err := look(t, data[:len(data)-TrailerSize]); err != nil || content != sound {
			t.Errorf("%+v, %v", content, err)
		}
	})
	random := rand.New(rand.NewPCG(3, 4))
	t.Run("flipped", func(t *testing.T) {
		refused := 0
		damaged := bytes.Clone(data)
		for at := 0; at < len(data); at += 1 + random.IntN(len(data)/1500) {
			damaged[at] ^= 1 << random.IntN(8)
			content, err := look(t, damaged)
			if err != nil {
				refused++
			} else if content.At.After(time.Now().Add(clocksApart)) {
				t.Errorf("byte %d: %+v", at, content)
			}
			damaged[at] = data[at]
		}
		if refused == 0 {
			t.Error("no damage was ever noticed")
		}
	})
	t.Run("every byte of what leads to the keys", func(t *testing.T) {
		meta, err := openDatabase(bytes.NewReader(data), int64(len(data)), mostBytes)
		if err != nil {
			t.Fatal(err)
		}
		damaged := bytes.Clone(data)
		for _, start := range []int64{0, meta.pageSize, int64(meta.root) * meta.pageSize} {
			for at := start; at < start+128; at++ {
				for _, b := range []byte{0, 0xff, data[at] + 1, data[at] ^ 0x80} {
					damaged[at] = b
					_, _ = look(t, damaged)
				}
				damaged[at] = data[at]
			}
		}
	})
	t.Run("shuffled pages", func(t *testing.T) {
		const size = 4096
		for range 50 {
			damaged := bytes.Clone(data)
			for range 10 {
				a, b := 2+random.IntN(len(data)/size-2), 2+random.IntN(len(data)/size-2)
				copy(damaged[a*size:(a+1)*size], data[b*size:(b+1)*size])
				binary.LittleEndian.PutUint64(damaged[a*size:], uint64(a)) // and each claims to be in its place
			}
			_, _ = look(t, damaged)
		}
	})
}

// A page that leads to itself must not be followed for ever.
func TestCircle(t *testing.T) {
	data := filled(t)
	db, err := openDatabase(bytes.NewReader(data), int64(len(data)), mostBytes)
	if err != nil {
		t.Fatal(err)
	}
	circles := 0
	for id := int64(2); id < int64(db.pages); id++ {
		at := data[id*db.pageSize:]
		if binary.LittleEndian.Uint16(at[8:]) != flagBranch || binary.LittleEndian.Uint64(at) != uint64(id) {
			continue
		}
		for i := range int(binary.LittleEndian.Uint16(at[10:])) {
			binary.LittleEndian.PutUint64(at[pageHeader+elementSize*i+8:], uint64(id))
		}
		circles++
	}
	if circles == 0 {
		t.Fatal("there is no branch to bend: the test proves nothing")
	}
	if content, err := look(t, data); err == nil {
		t.Errorf("a circle was read: %+v", content)
	}
}

func FuzzPages(f *testing.F) {
	data := filled(f)
	f.Add(data[:8192])
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = look(t, data)
	})
}

func FuzzMoments(f *testing.F) {
	now := time.Now()
	for _, seed := range [][]byte{
		lease(f, "n1", now), pod(f, "p", now), event(f, "e", now),
		[]byte("k8s:enc:aescbc:v1:key1:xyz"), []byte(`{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"a"},"spec":{"renewTime":"2026-01-01T00:00:00.000000Z"}}`),
		[]byte(`{"kind":"Event","apiVersion":"events.k8s.io/v1","metadata":{"name":"a"},"eventTime":null}`),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		for _, m := range moments(value) {
			if m.at.Year() < 2014 || m.object == "" {
				t.Errorf("%+v", m)
			}
		}
	})
}
