// Package scratch works on copies of snapshots in processes of its own: what a
// damaged file does to etcd's libraries (panics, log.Fatal, SIGBUS) happens there.
// It never writes to a snapshot, and nobody but this user can reach its members.
package scratch

import (
	"time"

	"gameday.dev/gameday/internal/snapshots"
)

// Inspection is what a snapshot file says of itself.
type Inspection struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // of the whole file, hex
	// Trailer is ok, missing or mismatch: the sha256 that etcd appends.
	Trailer string `json:"trailer"`
	// Damage names what is wrong with the database: pages, buckets, keys. Capped.
	Damage      []string `json:"damage,omitempty"`
	DamageCount int64    `json:"damageCount,omitempty"`
	// Torn says where a change was taken out of a database that is whole
	// otherwise; empty when none was.
	Torn        string   `json:"torn,omitempty"`
	Pages       int64    `json:"pages"`
	Revision    int64    `json:"revision"`    // the newest
	Compacted   int64    `json:"compacted"`   // 0 when never
	Revisions   int64    `json:"revisions"`   // entries of the key bucket, tombstones included
	Version     string   `json:"version"`     // storage version, empty before 3.6
	MemberIDs   []uint64 `json:"memberIDs"`   // of the cluster it was taken from
	MemberNames []string `json:"memberNames"` // in the same order
	// Alarms were raised when it was taken: NOSPACE, CORRUPT. After CORRUPT etcd
	// itself did not trust its members' data any more.
	Alarms []string `json:"alarms,omitempty"`
	// ContentAt and ContentSource as in snapshots.Content. ContentError is why
	// they could not be read.
	ContentAt     time.Time `json:"contentAt,omitzero"`
	ContentSource string    `json:"contentSource,omitempty"`
	ContentError  string    `json:"contentError,omitempty"`
}

// What Inspection.Trailer says.
const (
	TrailerOK       = "ok"
	TrailerMissing  = "missing"
	TrailerMismatch = "mismatch"
)

// KnownHash is what was learnt of a file while it was written, by the one who
// wrote it. The file is not hashed again then.
type KnownHash struct {
	SHA256    string `json:"sha256"` // of the whole file, hex
	Size      int64  `json:"size"`
	TrailerOK bool   `json:"trailerOK"` // its end is the sha256 of what is before it
}

func (k KnownHash) trailer() string { return trailer(snapshots.HasTrailer(k.Size), k.TrailerOK) }

func trailer(there, fits bool) string {
	switch {
	case !there:
		return TrailerMissing
	case !fits:
		return TrailerMismatch
	default:
		return TrailerOK
	}
}

// Failure is why a member did not come up: the snapshot's fault or this machine's.
type Failure struct {
	// Stage is restore or serve.
	Stage string
	// Machine says that this machine is to blame (disk full, killed): nothing is known of the snapshot.
	Machine bool
	Err     error
}

// The stages of a Failure.
const (
	StageRestore = "restore"
	StageServe   = "serve"
)

func (f *Failure) Error() string { return f.Stage + ": " + f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }
