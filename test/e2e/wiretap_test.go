package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"sync"
)

// Calls of etcd's API that matter here, as they stand on the wire.
const (
	callSnapshot = "/etcdserverpb.Maintenance/Snapshot"
	callRange    = "/etcdserverpb.KV/Range"
	callHashKV   = "/etcdserverpb.Maintenance/HashKV"
)

// wiretap stands between gameday and one member of the living etcd: it knows
// every call, and can hold the answer to one of them for as long as a test
// needs to break something. gRPC is HTTP/2, which Go's own proxy speaks.
type wiretap struct {
	server *httptest.Server
	caFile string

	mu    sync.Mutex
	calls map[string]int
	next  *hold // of the next answer
	held  *hold // released at the end
}

// hold is the answer to one kind of call that stops on its way.
type hold struct {
	call  string
	after int64 // bytes that get through
	// reached is closed when an answer has stopped, released when it may go on.
	reached, released chan struct{}
	stop, release     func()
}

// tap puts a wiretap before member i of the suite's etcd.
func (s *scene) tap(i int) *wiretap {
	s.Helper()
	local := s.provider.Cluster()
	config, err := tlsOf(local.EtcdCredentials())
	s.must(err)
	to, err := url.Parse(local.EtcdEndpoints()[i])
	s.must(err)
	w := &wiretap{calls: map[string]int{}}
	w.server = httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			w.note(r.In.URL.Path)
			r.SetURL(to)
		},
		Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true,
			// Small, so that what is held back is still with the member.
			HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10, MaxReceiveBufferPerConnection: 64 << 10}},
		FlushInterval:  -1,
		ErrorLog:       log.New(io.Discard, "", 0), // answers that break off are what it is for
		ModifyResponse: w.slow,
		ErrorHandler: func(answer http.ResponseWriter, _ *http.Request, _ error) {
			answer.WriteHeader(http.StatusBadGateway) // the member is gone, which a client sees as this
		},
	})
	w.server.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that were killed
	w.server.EnableHTTP2 = true
	w.server.StartTLS()
	s.Cleanup(func() {
		w.letGo()
		w.server.CloseClientConnections()
		w.server.Close()
	})
	w.caFile = s.write(fmt.Sprintf("tap-%d.crt", i), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw})))
	return w
}

func (w *wiretap) note(call string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[call]++
}

// heard are the kinds of calls so far.
func (w *wiretap) heard() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var calls []string
	for call := range w.calls {
		calls = append(calls, call)
	}
	slices.Sort(calls)
	return calls
}

// holdBack stops the next answer to a call after so many bytes.
func (w *wiretap) holdBack(call string, after int64) *hold {
	h := &hold{call: call, after: after, reached: make(chan struct{}), released: make(chan struct{})}
	h.stop = sync.OnceFunc(func() { close(h.reached) })
	h.release = sync.OnceFunc(func() { close(h.released) })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next, w.held = h, h
	return h
}

// letGo holds nothing any more.
func (w *wiretap) letGo() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held != nil {
		w.held.release()
	}
	w.next, w.held = nil, nil
}

// forget holds no answer that has not stopped yet.
func (w *wiretap) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = nil
}

func (w *wiretap) slow(answer *http.Response) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.next != nil && w.next.call == answer.Request.URL.Path {
		answer.Body = &heldBody{ReadCloser: answer.Body, hold: w.next}
		w.next = nil
	}
	return nil
}

// heldBody gives out no more than the hold lets through until it is released.
type heldBody struct {
	io.ReadCloser
	hold *hold
	read int64
}

func (b *heldBody) Read(into []byte) (int, error) {
	if left := b.hold.after - b.read; left > 0 {
		into = into[:min(int64(len(into)), left)]
	} else {
		b.hold.stop()
		<-b.hold.released
	}
	n, err := b.ReadCloser.Read(into)
	b.read += int64(n)
	return n, err
}

// tlsOf is a client's configuration from files.
func tlsOf(caFile, certFile, keyFile string) (*tls.Config, error) {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}
