package snapshots

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// Trailer hashes a snapshot as it passes, once, and holds its end against its
// beginning. It is no check of what is in it.
type Trailer struct {
	hash hash.Hash
	// held are the last bytes so far, which may be the trailer.
	held []byte
	size int64
}

// NewTrailer begins a snapshot.
func NewTrailer() *Trailer { return &Trailer{hash: sha256.New()} }

// Write takes the next bytes; it never fails.
func (t *Trailer) Write(p []byte) (int, error) {
	t.size += int64(len(p))
	if len(p) >= TrailerSize {
		t.hash.Write(t.held)
		t.hash.Write(p[:len(p)-TrailerSize])
		t.held = append(t.held[:0], p[len(p)-TrailerSize:]...)
		return len(p), nil
	}
	t.held = append(t.held, p...)
	if over := len(t.held) - TrailerSize; over > 0 {
		t.hash.Write(t.held[:over])
		t.held = append(t.held[:0], t.held[over:]...)
	}
	return len(p), nil
}

// Size is the number of bytes so far.
func (t *Trailer) Size() int64 { return t.size }

// Sum gives the hex sha256 of everything, and whether the last bytes are the
// sha256 of all before them. Nothing may be written after it.
func (t *Trailer) Sum() (whole string, fits bool) {
	fits = bytes.Equal(t.hash.Sum(nil), t.held)
	t.hash.Write(t.held)
	return hex.EncodeToString(t.hash.Sum(nil)), fits
}
