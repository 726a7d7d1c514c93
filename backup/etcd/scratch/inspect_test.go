package scratch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"gameday.dev/gameday/internal/snapshots"
)

func inspected(t *testing.T, data []byte) Inspection {
	t.Helper()
	got, err := Inspect(t.Context(), helperProgram(), write(t, data), "/registry")
	if err != nil {
		t.Fatalf("inspecting: %v", err)
	}
	return got
}

func TestInspectSaysWhatASnapshotHolds(t *testing.T) {
	s := snapshotOf(t)
	path := write(t, s.data)
	before, _ := os.Stat(path)
	got, err := Inspect(t.Context(), helperProgram(), path, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(s.data)
	if got.Size != int64(len(s.data)) || got.SHA256 != hex.EncodeToString(sum[:]) || got.Trailer != TrailerOK {
		t.Errorf("size %d, sha256 %s, trailer %s", got.Size, got.SHA256, got.Trailer)
	}
	if got.DamageCount != 0 || len(got.Damage) != 0 {
		t.Errorf("damage %q in a sound snapshot", got.Damage)
	}
	if got.Revision != s.revision || got.Compacted != s.compacted {
		t.Errorf("revision %d, compacted %d, want %d and %d", got.Revision, got.Compacted, s.revision, s.compacted)
	}
	if !slices.Equal(got.MemberIDs, []uint64{s.member}) || !slices.Equal(got.MemberNames, []string{"source"}) {
		t.Errorf("members %x %q, want %x of name source", got.MemberIDs, got.MemberNames, s.member)
	}
	if got.Version != "" && got.Version != "3.6.0" || len(got.Alarms) > 0 { // etcd writes its version after some seconds
		t.Errorf("version %q, alarms %q", got.Version, got.Alarms)
	}
	if got.ContentSource == "" && got.ContentError == "" {
		t.Error("nothing is said of the age of its content")
	}
	if after, _ := os.Stat(path); after.ModTime() != before.ModTime() || after.Size() != before.Size() {
		t.Error("the snapshot was written to")
	}
}

func TestInspectTakesAKnownHashAtItsWord(t *testing.T) {
	s := snapshotOf(t)
	path := write(t, s.data)
	known := KnownHash{SHA256: "from the stream", Size: int64(len(s.data)), TrailerOK: true}
	got, err := InspectKnown(t.Context(), helperProgram(), path, "/registry", known)
	if err != nil || got.SHA256 != known.SHA256 || got.Trailer != TrailerOK || got.Revision != s.revision {
		t.Errorf("got %+v, %v", got, err)
	}
	known.TrailerOK = false
	if got, err = InspectKnown(t.Context(), helperProgram(), path, "/registry", known); err != nil || got.Trailer != TrailerMismatch {
		t.Errorf("trailer %s, %v, want a mismatch", got.Trailer, err)
	}
	known.Size++
	if _, err = InspectKnown(t.Context(), helperProgram(), path, "/registry", known); err == nil {
		t.Error("a file of another size than was written passes")
	}
}

// Every single byte is covered by the trailer.
func TestInspectFindsAFlippedByteAnywhere(t *testing.T) {
	s := snapshotOf(t)
	for _, part := range []float64{0, 0.1, 0.33, 0.5, 0.75, 0.9, 0.9999} {
		broken := s.clone()
		broken[int(part*float64(len(broken)))] ^= 0x10
		if got := inspected(t, broken); got.Trailer != TrailerMismatch {
			t.Errorf("a flip at %.2f of the file: trailer %s", part, got.Trailer)
		}
	}
	broken := s.clone()
	broken[len(broken)-1] ^= 1
	if got := inspected(t, broken); got.Trailer != TrailerMismatch || got.DamageCount != 0 {
		t.Errorf("a flip in the trailer itself: trailer %s, damage %q", got.Trailer, got.Damage)
	}
}

func TestInspectNamesDamageThatTheTrailerHides(t *testing.T) {
	s := snapshotOf(t)
	of := regions(t, body(s.data))
	for region, flips := range choose(of, 1) {
		broken := s.clone()
		broken[flips[0].at] ^= flips[0].mask
		got := inspected(t, seal(broken))
		if got.Trailer != TrailerOK || got.DamageCount == 0 || !strings.Contains(got.Damage[0], "page ") {
			t.Errorf("%s, byte %d: trailer %s, damage %q", region, flips[0].at, got.Trailer, got.Damage)
		}
	}
}

func TestInspectFindsEveryTruncation(t *testing.T) {
	s := snapshotOf(t)
	size := len(s.data)
	for _, length := range []int{0, 1, 31, 32, 33, 4095, 4096, 4097, 8192, 8192 + 32, 12288, size / 3, size / 2, size/2&^511 + 32, size - 4096, size - 512, size - 33, size - 32, size - 31, size - 1} {
		got := inspected(t, s.data[:length])
		if got.Trailer == TrailerOK {
			t.Errorf("%d of %d bytes: trailer ok", length, size)
		}
		// Without its trailer alone the database is whole; the last bytes of a page may say nothing.
		if whole := length >= size-32; got.DamageCount > 0 == whole {
			t.Errorf("%d of %d bytes: damage %q", length, size, got.Damage)
		}
		if length == size-32 && got.Trailer != TrailerMissing {
			t.Errorf("without the trailer: %s", got.Trailer)
		}
	}
}

func TestInspectNamesOnlyTheFirstAndCountsAll(t *testing.T) {
	s := snapshotOf(t)
	broken := s.clone()
	l := walkBytes(t, body(s.data)).db.layout
	for _, at := range regions(t, body(s.data))["leaf header"] {
		if uint64(at)/l.pageSize != l.root { // all is found below it
			broken[at] = 0xff
		}
	}
	got := inspected(t, seal(broken))
	if len(got.Damage) != mostDamage || got.DamageCount <= mostDamage {
		t.Errorf("%d named of %d", len(got.Damage), got.DamageCount)
	}
	if again := inspected(t, broken); !slices.Equal(got.Damage, again.Damage) {
		t.Error("the same damage is named differently the second time")
	}
}

func TestInspectWhatIsNoSnapshot(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty": {}, "zeros": make([]byte, 100_000), "text": bytes.Repeat([]byte("no database\n"), 5000),
	} {
		if got := inspected(t, data); got.DamageCount == 0 || got.Trailer != TrailerMissing || got.Revision != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestInspectReadsTheStorageVersion(t *testing.T) {
	path := write(t, body(snapshotOf(t).data))
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoFreelistSync: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("storageVersion"), []byte("3.6.0"))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	got, err := Inspect(t.Context(), helperProgram(), path, "/registry")
	if err != nil || got.Version != "3.6.0" || got.DamageCount > 0 {
		t.Errorf("version %q, damage %q, %v", got.Version, got.Damage, err)
	}
}

func TestInspectErrorsAreThisMachines(t *testing.T) {
	s := snapshotOf(t)
	path := write(t, s.data)
	cancelled, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	for name, ask := range map[string]func() error{
		"no such file": func() error {
			_, err := Inspect(t.Context(), helperProgram(), path+"x", "/registry")
			return err
		},
		"a directory": func() error {
			_, err := Inspect(t.Context(), helperProgram(), filepath.Dir(path), "/registry")
			return err
		},
		"no such program": func() error {
			_, err := Inspect(t.Context(), []string{"/no/such/program"}, path, "/registry")
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("no such program: %v", err)
			}
			return err
		},
		"another program": func() error {
			_, err := Inspect(t.Context(), []string{"false"}, path, "/registry")
			return err
		},
		"killed": func() error {
			_, err := Inspect(t.Context(), []string{"sh", "-c", "kill -9 $$"}, path, "/registry")
			return err
		},
		"cancelled": func() error {
			_, err := Inspect(cancelled, helperProgram(), path, "/registry")
			if !errors.Is(err, why) {
				t.Errorf("cancelled: %v", err)
			}
			return err
		},
	} {
		if err := ask(); err == nil || !strings.Contains(err.Error(), filepath.Dir(path)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInspectTakesACrashForDamage(t *testing.T) {
	path := write(t, []byte("x"))
	got, err := Inspect(t.Context(), []string{"sh", "-c", "echo 'panic: page 7 already freed' >&2; exit 2"}, path, "/registry")
	if err != nil || got.DamageCount != 1 || !strings.Contains(got.Damage[0], "page 7 already freed") || got.Trailer == TrailerOK {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTheChildEndsWhenItsInputCloses(t *testing.T) {
	s := snapshotOf(t)
	dir := t.TempDir()
	member, err := Start(t.Context(), helperProgram(), write(t, s.data), filepath.Join(dir, "m"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer member.Stop()
	member.helper.lifeline.Close()
	select {
	case <-member.Ended():
	case <-time.After(time.Minute):
		t.Error("it is still there")
	}
}

func TestKnownHashTellsAMissingTrailerFromAWrongOne(t *testing.T) {
	if got := (KnownHash{Size: 8192}).trailer(); got != TrailerMissing {
		t.Errorf("8192 bytes have no room for one: %s", got)
	}
	if got := (KnownHash{Size: 8192 + snapshots.TrailerSize}).trailer(); got != TrailerMismatch {
		t.Errorf("8224 bytes have one: %s", got)
	}
}
