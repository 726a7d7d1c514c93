package walk

import (
	"errors"
	"fmt"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// memory holds one answer. It is used again for a later one: without that, and
// with the generated code, which copies each key and value into memory of its
// own, a walk through a million keys makes garbage of several gigabytes.
type memory struct {
	data []byte
	kvs  []mvccpb.KeyValue  // keys and values are parts of data
	refs []*mvccpb.KeyValue // to kvs
}

// codec reads the answers to ranges into memory.
type codec struct{ into *memory }

// Name is that of the encoding, which is protobuf's own.
func (codec) Name() string { return "proto" }

// Marshal encodes a request.
func (codec) Marshal(v any) (mem.BufferSlice, error) {
	request, ok := v.(*pb.RangeRequest)
	if !ok {
		return nil, fmt.Errorf("encoding %T: only ranges are asked for", v)
	}
	data, err := request.Marshal()
	return mem.BufferSlice{mem.SliceBuffer(data)}, err
}

// Unmarshal decodes an answer.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	response, ok := v.(*pb.RangeResponse)
	if !ok {
		return fmt.Errorf("decoding %T: only ranges are asked for", v)
	}
	m := c.into
	m.data = slices.Grow(m.data[:0], data.Len())[:data.Len()]
	data.CopyTo(m.data)
	return m.unmarshal(response)
}

// unmarshal decodes data as a RangeResponse (api/etcdserverpb/rpc.proto of etcd).
func (m *memory) unmarshal(response *pb.RangeResponse) error {
	*response = pb.RangeResponse{}
	m.kvs, m.refs = m.kvs[:0], m.refs[:0]
	err := fields(m.data, func(field protowire.Number, number uint64, part []byte) error {
		switch field {
		case 1:
			response.Header = &pb.ResponseHeader{}
			return response.Header.Unmarshal(part)
		case 2:
			m.kvs = append(m.kvs, mvccpb.KeyValue{})
			return unmarshalKeyValue(part, &m.kvs[len(m.kvs)-1])
		case 3:
			response.More = number != 0
		case 4:
			response.Count = int64(number)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("decoding a range of keys: %w", err)
	}
	for i := range m.kvs {
		m.refs = append(m.refs, &m.kvs[i])
	}
	response.Kvs = m.refs
	return nil
}

// unmarshalKeyValue decodes a KeyValue (api/mvccpb/kv.proto of etcd).
func unmarshalKeyValue(data []byte, kv *mvccpb.KeyValue) error {
	return fields(data, func(field protowire.Number, number uint64, part []byte) error {
		switch field {
		case 1:
			kv.Key = part
		case 2:
			kv.CreateRevision = int64(number)
		case 3:
			kv.ModRevision = int64(number)
		case 4:
			kv.Version = int64(number)
		case 5:
			kv.Value = part
		case 6:
			kv.Lease = int64(number)
		}
		return nil
	})
}

// fields hands over the fields of a message: numbers or parts of data. Both
// messages have no other kinds; those of later versions are skipped.
func fields(data []byte, take func(field protowire.Number, number uint64, part []byte) error) error {
	for len(data) > 0 {
		field, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		var number uint64
		var part []byte
		switch kind {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(data)
		case protowire.BytesType:
			part, n = protowire.ConsumeBytes(data)
		default:
			if n = protowire.ConsumeFieldValue(field, kind, data); n >= 0 {
				data = data[n:]
				continue
			}
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		if kind == protowire.BytesType && part == nil {
			return errors.New("a field without its bytes")
		}
		if err := take(field, number, part); err != nil {
			return err
		}
	}
	return nil
}
