package snapshots

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
)

// TrailerSize is the length of the sha256 that etcd appends to a snapshot: of
// all the bytes before it.
const TrailerSize = sha256.Size

// HasTrailer says whether a file of that size can be a snapshot with etcd's
// trailer: pages are whole, so that the rest can only be one. A copy of a
// member's own database has none. See hasChecksum in etcdutl/snapshot/v3_snapshot.go.
func HasTrailer(size int64) bool { return size%512 == TrailerSize }

// Sums are what the bytes of a file add up to.
type Sums struct {
	// Whole is the hex sha256 of the file.
	Whole string
	// Trailer says whether the file ends as a snapshot does; Fits whether that
	// end is the sha256 of what is before it.
	Trailer, Fits bool
}

// Sum reads a file from its beginning to its end.
func Sum(ctx context.Context, path string) (Sums, error) {
	file, err := os.Open(path)
	if err != nil {
		return Sums{}, fmt.Errorf("hashing snapshot: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return Sums{}, fmt.Errorf("hashing snapshot: %w", err)
	}
	t := NewTrailer()
	buffer := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return Sums{}, fmt.Errorf("hashing snapshot %s: %w", path, context.Cause(ctx))
		}
		n, err := file.Read(buffer)
		_, _ = t.Write(buffer[:n]) // a hash takes everything
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Sums{}, fmt.Errorf("hashing snapshot: %w", err)
		}
	}
	whole, fits := t.Sum()
	if t.size != info.Size() {
		return Sums{}, fmt.Errorf("hashing snapshot %s: it had %d bytes and now has %d: it is being written", path, info.Size(), t.size)
	}
	return Sums{Whole: whole, Trailer: HasTrailer(t.size), Fits: fits}, nil
}
