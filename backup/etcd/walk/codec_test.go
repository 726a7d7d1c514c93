package walk

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

func rangeResponse() *pb.RangeResponse {
	return &pb.RangeResponse{
		Header: &pb.ResponseHeader{ClusterId: 1, MemberId: 2, Revision: 3, RaftTerm: 4},
		Kvs: []*mvccpb.KeyValue{
			{Key: []byte("a"), Value: []byte("one"), CreateRevision: 5, ModRevision: 6, Version: 7, Lease: 8},
			{Key: []byte("b"), Value: []byte{}, CreateRevision: 1 << 60, ModRevision: 1, Version: 1},
			{Key: []byte("c")},
		},
		More: true, Count: 9,
	}
}

func alike(t *testing.T, want, got *pb.RangeResponse) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-generated +own:\n%s", diff)
	}
}

func TestCodec(t *testing.T) {
	request, err := codec{}.Marshal(&pb.RangeRequest{Key: []byte("a"), Limit: 3})
	if err != nil || request.Len() == 0 {
		t.Errorf("a request of %d bytes, %v", request.Len(), err)
	}
	m := &memory{}
	for _, want := range []*pb.RangeResponse{rangeResponse(), {}, rangeResponse()} { // in the same memory
		data, err := want.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var got pb.RangeResponse
		m.data = data
		if err := m.unmarshal(&got); err != nil {
			t.Fatal(err)
		}
		alike(t, want, &got)
		for i := range data {
			m.data = data[:i]
			_ = m.unmarshal(&got) // it may fail, and must not crash
		}
	}
	if _, err := (codec{}).Marshal(&pb.PutRequest{}); err == nil {
		t.Error("it encodes what is no range")
	}
}

// The codec reads what etcd's generated code reads.
func FuzzCodec(f *testing.F) {
	for _, response := range []*pb.RangeResponse{rangeResponse(), {Count: 3}} {
		data, err := response.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want, got pb.RangeResponse
		m := &memory{data: data}
		if err := m.unmarshal(&got); err != nil || want.Unmarshal(data) != nil {
			return
		}
		want.XXX_unrecognized, got.XXX_unrecognized = nil, nil
		if len(want.Kvs) != len(got.Kvs) || want.Count != got.Count || want.More != got.More {
			t.Fatalf("generated %v, own %v", &want, &got)
		}
		for i, kv := range want.Kvs {
			kv.XXX_unrecognized = nil
			if diff := cmp.Diff(kv, got.Kvs[i], cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("-generated +own:\n%s", diff)
			}
		}
	})
}
