package scratch

import (
	"bytes"
	"testing"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// FuzzReadKeyValue holds the reader against etcd's own: whatever it takes, that
// one takes too and reads the same.
func FuzzReadKeyValue(f *testing.F) {
	for _, kv := range []mvccpb.KeyValue{
		{}, {Key: []byte("/registry/pods/a/b"), CreateRevision: 3, ModRevision: 1 << 40, Version: 2, Value: []byte("k8s"), Lease: -1},
		{Key: []byte("k"), ModRevision: -5},
	} {
		data, err := kv.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		if got, err := readKeyValue(data); err != nil || !bytes.Equal(got.key, kv.Key) || got.modified != kv.ModRevision {
			f.Fatalf("%+v is read as %+v, %v", kv, got, err)
		}
		f.Add(data)
	}
	f.Add([]byte{0x0a, 0xff})
	f.Add([]byte{0x3a, 0x01, 0x00}) // a field that is not known
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readKeyValue(data)
		if err != nil {
			return
		}
		var want mvccpb.KeyValue
		if err := want.Unmarshal(data); err != nil {
			t.Fatalf("%x is taken, but not by etcd: %v", data, err)
		}
		if !bytes.Equal(got.key, want.Key) || got.modified != want.ModRevision {
			t.Errorf("%x is read as %+v, by etcd as %v", data, got, want)
		}
	})
}
