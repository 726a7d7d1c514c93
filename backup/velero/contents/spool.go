package contents

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
)

// spool keeps texts on disk. A backup holds Secrets, so the file is removed as
// soon as it is open, and what is in it is encrypted with a key that is nowhere
// but here: neither a killed process nor a lost disk leaves anything to read.
type spool struct {
	file   *os.File
	buffer *bufio.Writer
	block  cipher.Block
	size   int64
}

func newSpool(directory string) (*spool, error) {
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(directory, "gameday-backup-")
	if err != nil {
		return nil, fmt.Errorf("keeping the backup's objects: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, fmt.Errorf("keeping the backup's objects: %w", err)
	}
	return &spool{file: file, buffer: bufio.NewWriterSize(file, 1<<18), block: block}, nil
}

func (s *spool) close() error { return s.file.Close() }

// store appends a text and says where it is.
func (s *spool) store(text []byte) (offset int64, err error) {
	offset = s.size
	sealed := make([]byte, padded(len(text)))
	copy(sealed, text)
	s.stream(offset).XORKeyStream(sealed, sealed)
	if _, err := s.buffer.Write(sealed); err != nil {
		return 0, fmt.Errorf("keeping the backup's objects: %w", err)
	}
	s.size += int64(len(sealed))
	return offset, nil
}

// load reads a text again.
func (s *spool) load(offset int64, size int) ([]byte, error) {
	if s.buffer.Buffered() > 0 {
		if err := s.buffer.Flush(); err != nil {
			return nil, fmt.Errorf("keeping the backup's objects: %w", err)
		}
	}
	text := make([]byte, size)
	if _, err := s.file.ReadAt(text, offset); err != nil {
		return nil, fmt.Errorf("reading the backup's objects again: %w", err)
	}
	s.stream(offset).XORKeyStream(text, text)
	return text, nil
}

// stream is the key stream from an offset on, which is always a whole number of
// blocks: no part of it is used twice.
func (s *spool) stream(offset int64) cipher.Stream {
	var counter [aes.BlockSize]byte
	binary.BigEndian.PutUint64(counter[8:], uint64(offset/aes.BlockSize))
	return cipher.NewCTR(s.block, counter[:])
}

// padded is a length rounded up to whole blocks.
func padded(size int) int { return (size + aes.BlockSize - 1) / aes.BlockSize * aes.BlockSize }
