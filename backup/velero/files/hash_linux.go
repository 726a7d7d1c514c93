package files

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// job is one line to be printed; done is closed when it is ready, nil if it always was.
type job struct {
	entry entry
	again bool
	name  string
	in    *handle
	done  chan struct{}
}

// hasher reads files to their end and sums them.
type hasher struct {
	buffer []byte
	read   *atomic.Int64 // bytes, of all hashers
}

// A large buffer keeps a disk busy; several hashers keep several.
func newHasher(read *atomic.Int64) *hasher {
	return &hasher{buffer: make([]byte, 1<<20), read: read}
}

// do completes the job's entry. The file was looked at before; it may have become
// anything since, so it is opened in a way that waits for nobody and follows nothing.
func (h *hasher) do(j *job) {
	defer close(j.done)
	defer j.in.release()
	fd, err := openAt(j.in.fd, j.name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC)
	if err != nil {
		j.entry = failed(j.entry.Path, j.entry.attributes, err)
		return
	}
	defer unix.Close(fd) //nolint:errcheck // it was only read
	if err := h.sum(fd, &j.entry); err != nil {
		j.entry = failed(j.entry.Path, j.entry.attributes, err)
	}
}

var errOtherType = errors.New("it became something else than a regular file while it was looked at")

// sum hashes what the file held when it was opened, no more: a log may grow as
// fast as it is read. What is told of the file is what was true after that.
func (h *hasher) sum(fd int, e *entry) error {
	before, err := look(fd, "")
	if err != nil {
		return err
	}
	if typeOf(&before) != File {
		return errOtherType
	}
	_ = unix.Fadvise(fd, 0, 0, unix.FADV_SEQUENTIAL) // advice, as the name says
	hash := sha256.New()
	left := int64(before.Size)
	for left > 0 {
		n, err := retry(func() (int, error) { return unix.Read(fd, h.buffer[:min(left, int64(len(h.buffer)))]) })
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		_, _ = hash.Write(h.buffer[:n]) // never fails
		left -= int64(n)
		h.read.Add(int64(n))
	}
	after, err := look(fd, "")
	if err != nil {
		return err
	}
	e.attributes = attributesOf(&after)
	e.Attributes = countAttributes(fd)
	e.Changed = left > 0 || after.Size != before.Size || after.Ctime != before.Ctime
	e.Size = int64(before.Size) - left
	e.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return nil
}
