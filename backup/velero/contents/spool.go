package contents

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// spareSpace is what is left free on the disk, looked at once for every spaceEvery
// bytes: a small file can hold a tarball without end.
const (
	spareSpace = 256 << 20
	spaceEvery = 32 << 20
)

// spool keeps texts on disk. A backup holds Secrets, so the file is removed as
// soon as it is open, and what is in it is encrypted with a key that is nowhere
// but here: neither a killed process nor a lost disk leaves anything to read.
type spool struct {
	file   *os.File
	buffer *bufio.Writer
	block  cipher.Block
	size   int64
	// looked is the size at which the disk was last looked at.
	looked int64
	free   func(*os.File) (int64, error)
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
	return &spool{file: file, buffer: bufio.NewWriterSize(file, 1<<18), block: block, free: freeSpace}, nil
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
	return offset, s.spare()
}

// spare refuses to fill the disk of the machine.
func (s *spool) spare() error {
	if s.size-s.looked < spaceEvery {
		return nil
	}
	s.looked = s.size
	free, err := s.free(s.file)
	if err != nil {
		return fmt.Errorf("keeping the backup's objects: asking for free space: %w", err)
	}
	if free < spareSpace {
		return fmt.Errorf("keeping the backup's objects: %d MiB of them leave %d MiB free in %s; name a larger disk with --scratch-dir", s.size>>20, free>>20, filepath.Dir(s.file.Name()))
	}
	return nil
}

func freeSpace(file *os.File) (int64, error) {
	var disk unix.Statfs_t
	err := unix.Fstatfs(int(file.Fd()), &disk)
	return int64(disk.Bavail) * int64(disk.Bsize), err //nolint:unconvert // other systems have other types
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
