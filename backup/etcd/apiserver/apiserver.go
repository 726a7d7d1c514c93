// Package apiserver boots a kube-apiserver on a restored etcd and compares what
// it lists with the living cluster. The scratch server cannot call out: no
// webhook, no aggregated API, no kubelet hears of it.
package apiserver

import (
	"context"
	"time"

	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/experiments"
)

// Config says what to boot on.
type Config struct {
	At experiments.Etcd // APIServer, APIServerFlags, Prefix, EncryptionConfig
	// EtcdEndpoint and the files are those of the scratch member.
	EtcdEndpoint              string
	CAFile, CertFile, KeyFile string
	// Dir is a directory of the server's own; it must not exist.
	Dir string
	// Flags are those of the living cluster's control plane that decide how data is read.
	Flags []string
}

// Version asks the binary for its version: "v1.36.3".
func Version(ctx context.Context, binary string) (string, error) { panic("to be written") }

// LiveFlags finds the flags of the living cluster's API server that decide how
// stored data is read (feature gates, runtime config, service range) in its static
// pod; none when there is no such pod or it may not be read, and why.
func LiveFlags(ctx context.Context, live kubernetes.Interface) (flags []string, why string, err error) {
	panic("to be written")
}

// Server is a kube-apiserver at work on restored data.
type Server struct {
	Client   kubernetes.Interface
	BootTook time.Duration // from start to ready
}

// Failure is why it did not boot: the data's fault or this machine's.
type Failure struct {
	Machine bool
	Err     error
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Start boots it and waits until it is ready. An error is a *Failure.
func Start(ctx context.Context, c Config) (*Server, error) { panic("to be written") }

// Stop ends it and waits for its process.
func (s *Server) Stop() {}

// Compared is what the comparison of the two servers found.
type Compared struct {
	Resources int64            // that both serve
	Objects   int64            // listed on the restored side
	Counts    map[string]int64 // by resource
	Equal     int64
	// Moved counts objects that the living cluster has changed since; 0 while its
	// history still reaches back to the snapshot's revision.
	Moved int64
	// Compacted says that it does not.
	Compacted                                bool
	Different, Missing, Extra                []string // first few, as objects, with the paths of the fields; Secrets without values
	DifferentCount, MissingCount, ExtraCount int64
	// Skipped says of each resource that could not be compared why; Untold of
	// those whose comparison would have been owed.
	Skipped map[string]string
	Untold  map[string]string
}

// Options of Compare.
type Options struct {
	Live, Restored kubernetes.Interface
	// Revision of the snapshot.
	Revision int64
	// Stored counts keys by resource, as the walk found them: what the API server must list.
	Stored   map[string]int64
	Progress func(objects int64)
}

// Compare lists every resource of both servers and compares them.
func Compare(ctx context.Context, o Options) (Compared, error) { panic("to be written") }
