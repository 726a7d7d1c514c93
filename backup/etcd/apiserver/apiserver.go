// Package apiserver boots a kube-apiserver on a restored etcd and compares what
// it lists with the living cluster. The scratch server cannot call out: no
// webhook, no aggregated API, no kubelet hears of it.
package apiserver

import (
	"net/http"
	"os"
	"time"

	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/child"
)

// Config says what to boot on.
type Config struct {
	At experiments.Etcd // APIServer, APIServerFlags, Prefix, EncryptionConfig
	// EtcdEndpoint and the files are those of the scratch member.
	EtcdEndpoint              string
	CAFile, CertFile, KeyFile string
	// Dir is a directory of the server's own; it must not exist. Stop removes it.
	Dir string
	// Flags are those of the living cluster's control plane that decide how data is read.
	Flags []string
}

// Server is a kube-apiserver at work on restored data.
type Server struct {
	Client   kubernetes.Interface
	BootTook time.Duration // from start to ready
	// Keyless names the readiness checks that fail only because something is
	// encrypted with a key, or by a KMS, that is not here; the rest is served.
	// Empty when the server is ready as any other.
	Keyless []string

	dir       string
	process   *child.Process
	transport *http.Transport
	egress    *egress
}

// Ended is closed when its process has ended, asked to or not.
func (s *Server) Ended() <-chan struct{} { return s.process.Ended() }

// Refused counts its attempts to reach somebody, by host and port; all of them
// were refused.
func (s *Server) Refused() map[string]int64 { return s.egress.attempts() }

// Stop kills it, waits for its process and removes its directory; it may be
// called again. Asked to end, a kube-apiserver takes a minute for as long as
// watches are open, and its own always are; nobody needs what it holds.
func (s *Server) Stop() {
	s.transport.CloseIdleConnections()
	s.process.Stop(0)
	s.egress.close()
	os.RemoveAll(s.dir)
}
