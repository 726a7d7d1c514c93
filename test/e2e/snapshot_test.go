package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// What is done to snapshots here needs nothing of gameday: etcd's client takes
// them, bbolt edits them, and a sha256 over the whole closes them again.

// etcd is a client of the suite's own etcd, for the scene alone.
func (s *scene) etcd() *clientv3.Client {
	s.Helper()
	local := s.provider.Cluster()
	config, err := tlsOf(local.EtcdCredentials())
	s.must(err)
	client, err := clientv3.New(clientv3.Config{Endpoints: local.EtcdEndpoints(), TLS: config, DialTimeout: 5 * time.Second, Logger: zap.NewNop()})
	s.must(err)
	s.Cleanup(func() { _ = client.Close() })
	return client
}

// snapshot takes one with etcd's client, as etcdctl does.
func (s *scene) snapshot(client *clientv3.Client, name string) string {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	stream, err := client.Snapshot(ctx)
	s.must(err)
	defer stream.Close()
	path := filepath.Join(s.dir, name)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	s.must(err)
	_, err = io.Copy(file, stream)
	s.must(err)
	s.must(file.Close())
	return path
}

// copyOf is a copy under another name, changed as told.
func (s *scene) copyOf(path, name string, change func([]byte) []byte) string {
	s.Helper()
	data, err := os.ReadFile(path)
	s.must(err)
	copied := filepath.Join(s.dir, name)
	s.must(os.WriteFile(copied, change(data), 0o600))
	return copied
}

// sealed is the database with the sha256 that etcd appends; unsealed is it without.
func sealed(data []byte) []byte {
	sum := sha256.Sum256(data)
	return append(bytes.Clone(data), sum[:]...)
}

func unsealed(data []byte) []byte { return bytes.Clone(data[:len(data)-sha256.Size]) }

// resealed lets a change of the database pass for what etcd has written.
func resealed(change func([]byte)) func([]byte) []byte {
	return func(data []byte) []byte {
		data = unsealed(data)
		change(data)
		return sealed(data)
	}
}

// flipped has one bit of one byte turned over.
func flipped(at int64) func([]byte) []byte {
	return func(data []byte) []byte {
		data = bytes.Clone(data)
		data[at] ^= 0x10
		return data
	}
}

// doctored is a copy whose database was edited by somebody who knows how to,
// hash included.
func (s *scene) doctored(path, name string, edit func(*bolt.Tx) error) string {
	s.Helper()
	copied := s.copyOf(path, name, unsealed)
	db, err := bolt.Open(copied, 0o600, nil)
	s.must(err)
	s.must(db.Update(edit))
	s.must(db.Close())
	return s.copyOf(copied, name, sealed)
}

// untouched edits nothing; what is written nevertheless has a freelist page,
// which etcd itself leaves out.
func untouched(*bolt.Tx) error { return nil }

// forget takes every revision of a key out of a database.
func forget(key string) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		return eachRevision(tx, key, func(bucket *bolt.Bucket, revision []byte, _ *mvccpb.KeyValue) error {
			return bucket.Delete(revision)
		})
	}
}

// alter replaces a text in the newest value of a key by one as long.
func alter(key, old, new string) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		var newest []byte
		var pair *mvccpb.KeyValue
		err := eachRevision(tx, key, func(_ *bolt.Bucket, revision []byte, p *mvccpb.KeyValue) error {
			newest, pair = revision, p // the cursor goes from old to new
			return nil
		})
		if err != nil {
			return err
		}
		if !bytes.Contains(pair.Value, []byte(old)) || len(old) != len(new) {
			return fmt.Errorf("the value of %s has no %q to be replaced by %q", key, old, new)
		}
		pair.Value = bytes.ReplaceAll(pair.Value, []byte(old), []byte(new))
		return put(tx, newest, pair)
	}
}

// garble turns over a bit in the newest value of a key, at this distance from its end.
func garble(key string, fromEnd int) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		var newest []byte
		var pair *mvccpb.KeyValue
		err := eachRevision(tx, key, func(_ *bolt.Bucket, revision []byte, p *mvccpb.KeyValue) error {
			newest, pair = revision, p
			return nil
		})
		if err != nil {
			return err
		}
		pair.Value[len(pair.Value)-1-fromEnd] ^= 0x10
		return put(tx, newest, pair)
	}
}

func put(tx *bolt.Tx, revision []byte, pair *mvccpb.KeyValue) error {
	data, err := pair.Marshal()
	if err != nil {
		return err
	}
	return tx.Bucket([]byte("key")).Put(revision, data)
}

// eachRevision calls do for every revision of a key, and fails when it has none.
func eachRevision(tx *bolt.Tx, key string, do func(*bolt.Bucket, []byte, *mvccpb.KeyValue) error) error {
	bucket := tx.Bucket([]byte("key"))
	type entry struct {
		revision []byte
		pair     *mvccpb.KeyValue
	}
	var found []entry // first all, since a cursor and a change do not go together
	err := bucket.ForEach(func(revision, value []byte) error {
		var pair mvccpb.KeyValue
		if err := pair.Unmarshal(value); err != nil {
			return err
		}
		if string(pair.Key) == key {
			found = append(found, entry{bytes.Clone(revision), &pair})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("the snapshot has no key %s", key)
	}
	for _, one := range found {
		if err := do(bucket, one.revision, one.pair); err != nil {
			return err
		}
	}
	return nil
}

// regions names one byte of each kind of page of a snapshot, of each part of
// it, and of the trailer, by its place in the file.
func (s *scene) regions(path string) map[string]int64 {
	s.Helper()
	data, err := os.ReadFile(path)
	s.must(err)
	body := s.copyOf(path, "regions", unsealed)
	db, err := bolt.Open(body, 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true})
	s.must(err)
	defer db.Close()
	size := int64(db.Info().PageSize)
	at := map[string]int64{"trailer": int64(len(data)) - sha256.Size/2}
	s.must(db.View(func(tx *bolt.Tx) error {
		for id := int64(0); ; id++ {
			page, err := tx.Page(int(id))
			if err != nil || page == nil {
				return err
			}
			kind := page.Type
			if kind == "meta" {
				kind = fmt.Sprintf("meta %d", id)
			}
			at[kind+" header"] = id*size + 8                   // the flags
			at[kind+" elements"] = id*size + 16 + 4            // past the header of 16 bytes
			at[kind+" content"] = id*size + 16 + (size-16)*2/3 // data, or the free room of a page
			id += int64(page.OverflowCount)
		}
	}))
	return at
}

// lengths are where a copy that broke off may have ended.
func lengths(whole int64) map[string]int64 {
	return map[string]int64{
		"nothing":           0,
		"a byte":            1,
		"a meta page":       4096,
		"two meta pages":    8192,
		"a third":           whole / 3,
		"a whole page less": whole - 4096 - sha256.Size,
		"the trailer less":  whole - sha256.Size,
		"half the trailer":  whole - sha256.Size/2,
		"a byte less":       whole - 1,
	}
}

// fileName is a name of a region as part of a file's.
func fileName(name string) string { return strings.ReplaceAll(name, " ", "-") }
