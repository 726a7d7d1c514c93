package snapshots

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

const (
	// mostRevisions and mostBytes bound what is looked at, whatever the size of the file.
	mostRevisions = 20_000
	mostBytes     = 64 << 20
	// fewRevisions are enough when several Leases are among them: those of a living
	// cluster are renewed every 10 seconds, so that older revisions have nothing to add.
	fewRevisions = 512
	// clocksTogether is how far the clocks of a healthy cluster are apart at the most.
	clocksTogether = time.Minute
	// clocksApart is how far the clock of a node may be ahead of this machine's.
	clocksApart = 2 * time.Minute
)

// ReadContent finds how old the data of a snapshot is, from its newest
// revisions: in the time that it takes to look at a few thousand keys, whatever
// the size. A damaged file is an error, never a crash; but only what is looked
// at is found damaged. Values that are encrypted at rest speak of nothing.
//
// An object can be wrong: by its clock, or as a Lease that holds a time to come.
// It is not believed when that has not come yet, or when Leases of later
// revisions say that it had not yet come to that. The time of the file says
// nothing: a copy makes it younger, an archive or an object store older.
func ReadContent(path, prefix string) (Content, error) {
	content, err := readContent(path, prefix)
	if err != nil {
		return Content{}, fmt.Errorf("reading snapshot %s: %w", path, err)
	}
	return content, nil
}

func readContent(path, prefix string) (Content, error) {
	file, err := os.Open(path)
	if err != nil {
		return Content{}, unwrapPath(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return Content{}, unwrapPath(err)
	}
	switch {
	case !info.Mode().IsRegular():
		return Content{}, errors.New("it is no file")
	case info.Size() == 0:
		return Content{}, errors.New("it is empty")
	}
	return contentOf(file, info.Size(), prefix, time.Now())
}

// unwrapPath leaves out the path, which the caller names.
func unwrapPath(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// contentOf walks the revisions, newest first.
func contentOf(file io.ReaderAt, size int64, prefix string, now time.Time) (Content, error) {
	db, err := openDatabase(file, size, mostBytes)
	if err != nil {
		return Content{}, err
	}
	keys, err := db.bucket("key")
	if err != nil {
		return Content{}, err
	}
	h := heard{prefix: strings.TrimSuffix(prefix, "/") + "/", latest: now.Add(clocksApart), newest: map[string]moment{}, liars: map[string]moment{}}
	if err := db.backwards(keys, h.visit); err != nil && !errors.Is(err, errEnough) {
		return Content{}, err
	}
	return h.content(), nil
}

// visit takes one revision. Its key is of the storage, see RevBytes in
// server/storage/mvcc/revision.go: 8 bytes of the main revision, "_", 8 of the
// sub-revision, and "t" when it deletes.
func (h *heard) visit(key, value []byte) error {
	const whole = 8 + 1 + 8
	if len(key) < whole || len(key) > whole+1 || key[8] != '_' {
		return errors.New("it is damaged: a key is no revision")
	}
	h.entries++
	h.bytes += len(value)
	if h.entries > mostRevisions || h.bytes > mostBytes || h.entries > fewRevisions && h.leases.several() {
		return errEnough
	}
	if len(key) > whole {
		return nil
	}
	var stored mvccpb.KeyValue
	if err := stored.Unmarshal(value); err != nil {
		return errors.New("it is damaged: a revision's value can not be read")
	}
	if !strings.HasPrefix(string(stored.Key), h.prefix) {
		return nil
	}
	h.hear(string(stored.Key), int64(binary.BigEndian.Uint64(key)), moments(stored.Value))
	return nil
}
