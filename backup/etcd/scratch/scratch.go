// Package scratch works on copies of snapshots in processes of its own: what a
// damaged file does to etcd's libraries (panics, log.Fatal, SIGBUS) happens there.
package scratch

import (
	"context"
	"crypto/tls"
	"io"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
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
	Pages       int64    `json:"pages"`
	Revision    int64    `json:"revision"`    // the newest
	Compacted   int64    `json:"compacted"`   // 0 when never
	Revisions   int64    `json:"revisions"`   // entries of the key bucket, tombstones included
	Version     string   `json:"version"`     // storage version, empty before 3.6
	MemberIDs   []uint64 `json:"memberIDs"`   // of the cluster it was taken from
	MemberNames []string `json:"memberNames"` // in the same order
	// ContentAt and ContentSource as in snapshots.Content.
	ContentAt     time.Time `json:"contentAt,omitzero"`
	ContentSource string    `json:"contentSource,omitempty"`
}

// Inspect reads the file in a child process and never writes to it. A child that crashes on it is Damage,
// not an error; an error is what this machine could not do.
func Inspect(ctx context.Context, program []string, path, prefix string) (Inspection, error) {
	panic("to be written")
}

// Member is an etcd member on a restored copy, in a child process, on loopback,
// with mutual TLS of its own.
type Member struct {
	Endpoint                  string // https://127.0.0.1:port
	CAFile, CertFile, KeyFile string // for clients
	TLS                       *tls.Config
	RestoreTook               time.Duration
	ServeTook                 time.Duration // from the end of the restore to the first answer
}

// Failure is why a member did not come up: the snapshot's fault or this machine's.
type Failure struct {
	// Stage is restore or serve.
	Stage string
	// Machine says that this machine is to blame (disk full, killed): nothing is known of the snapshot.
	Machine bool
	Err     error
}

func (f *Failure) Error() string { return f.Stage + ": " + f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Start restores the snapshot into dir, which must not exist, and serves it.
// restored is called between the two. An error is a *Failure.
func Start(ctx context.Context, program []string, path, dir string, restored func()) (*Member, error) {
	panic("to be written")
}

// Client connects to the member.
func (m *Member) Client() (*clientv3.Client, error) { panic("to be written") }

// Ended is closed when the member's process has ended; Err says why.
func (m *Member) Ended() <-chan struct{} { panic("to be written") }

// Stop ends the member and waits for its process.
func (m *Member) Stop() {}

// Main is what the child does; cmd calls it for the hidden helper command. It
// returns the exit code.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	panic("to be written")
}
