package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
)

// piece is one message of a snapshot's stream. It is not decoded into etcd's
// own type: that would copy every byte once more, and clear a megabyte of memory
// for each 32 KiB, which takes longer than hashing them.
type piece struct {
	buffer mem.Buffer
	blob   []byte // of buffer
}

// release gives the memory back. The blob is gone with it.
func (p piece) release() {
	if p.buffer != nil {
		p.buffer.Free()
	}
}

// pieceCodec reads the messages of a snapshot's stream.
type pieceCodec struct{ pool *piecePool }

var _ encoding.CodecV2 = pieceCodec{}

// Name is that of the encoding, for the header of the request.
func (pieceCodec) Name() string { return "proto" }

// Marshal encodes the request, the only message that is sent.
func (pieceCodec) Marshal(v any) (mem.BufferSlice, error) {
	request, ok := v.(*pb.SnapshotRequest)
	if !ok {
		return nil, fmt.Errorf("encoding %T: not a request for a snapshot", v)
	}
	data, err := request.Marshal()
	return mem.BufferSlice{mem.SliceBuffer(data)}, err
}

// Unmarshal finds the blob of a message.
func (c pieceCodec) Unmarshal(data mem.BufferSlice, v any) error {
	into, ok := v.(*piece)
	if !ok {
		return fmt.Errorf("decoding into %T: not a piece of a snapshot", v)
	}
	buffer := data.MaterializeToBuffer(c.pool)
	blob, err := blobOf(buffer.ReadOnlyData())
	if err != nil {
		buffer.Free()
		return err
	}
	*into = piece{buffer: buffer, blob: blob}
	return nil
}

// blobOf finds field 3 of a SnapshotResponse, see api/etcdserverpb/rpc.proto.
// All its fields are numbers, or bytes with their length before them.
func blobOf(message []byte) ([]byte, error) {
	errBroken := errors.New("a message of the stream can not be read")
	var blob []byte
	number := func() (uint64, bool) {
		n, size := binary.Uvarint(message)
		if size <= 0 {
			return 0, false
		}
		message = message[size:]
		return n, true
	}
	for len(message) > 0 {
		tag, ok := number()
		if !ok {
			return nil, errBroken
		}
		n, ok := number()
		switch {
		case !ok:
			return nil, errBroken
		case tag&7 == 0: // that was it
		case tag&7 == 2 && n <= uint64(len(message)):
			if tag>>3 == 3 {
				blob = message[:n]
			}
			message = message[n:]
		default:
			return nil, errBroken
		}
	}
	return blob, nil
}

// piecePool keeps the memory of pieces. Unlike gRPC's own it does not clear
// what is written over anyway.
type piecePool struct{ free sync.Pool }

var _ mem.BufferPool = (*piecePool)(nil)

// commonPiece has room for the 32 KiB that etcd sends at a time, and their frame.
const commonPiece = 33 << 10

// Get gives memory of that length, with anything in it.
func (p *piecePool) Get(length int) *[]byte {
	if kept, ok := p.free.Get().(*[]byte); ok && cap(*kept) >= length {
		*kept = (*kept)[:length]
		return kept
	}
	made := make([]byte, length, max(length, commonPiece))
	return &made
}

// Put takes it back.
func (p *piecePool) Put(buffer *[]byte) { p.free.Put(buffer) }
