package apiserver

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// A kube-apiserver sends what it asks of others through dialers that an
// EgressSelectorConfiguration replaces: "cluster" for nodes, services, aggregated
// APIs and webhooks by service, "controlplane" for webhooks by URL and other API
// servers (k8s.io/apiserver, pkg/server/egressselector and pkg/util/webhook;
// k8s.io/kube-aggregator, pkg/apiserver). "etcd" is left alone: the member on
// loopback is all that the scratch server reaches.
const egressConfiguration = `apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport: {uds: {udsName: ` + egressSocket + `}}
- name: controlplane
  connection:
    proxyProtocol: HTTPConnect
    transport: {uds: {udsName: ` + egressSocket + `}}
`

// egressSocket is relative to the directory that the server runs in: the path
// of a socket is limited to about 100 bytes.
const egressSocket = "egress.sock"

// egressAddresses bounds how many addresses are remembered.
const egressAddresses = 100

// egress is the proxy that refuses everything and remembers what was asked for.
type egress struct {
	listener net.Listener

	mu    sync.Mutex
	count map[string]int64
}

// refuseEgress writes the configuration into dir and listens there. Where that
// is not possible, because the path is too long for a socket, nobody does:
// everything is refused just the same, only uncounted.
func refuseEgress(dir string) (file string, e *egress, err error) {
	file = filepath.Join(dir, "egress.yaml")
	if err := os.WriteFile(file, []byte(egressConfiguration), 0o600); err != nil {
		return "", nil, fmt.Errorf("writing the egress configuration: %w", err)
	}
	e = &egress{count: map[string]int64{}}
	listener, err := net.Listen("unix", filepath.Join(dir, egressSocket)) //nolint:noctx // it waits for nobody
	if err != nil {
		return file, e, nil //nolint:nilerr // see above
	}
	e.listener = listener
	go e.serve(listener)
	return file, e, nil
}

func (e *egress) serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go e.refuse(conn)
	}
}

// refuse reads "CONNECT host:port" and says no.
func (e *egress) refuse(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second)) // only a closed connection has none
	request, err := http.ReadRequest(bufio.NewReader(io.LimitReader(conn, 8<<10)))
	address := "what it did not say"
	if err == nil {
		address = request.RequestURI
	}
	e.mu.Lock()
	if _, known := e.count[address]; known || len(e.count) < egressAddresses {
		e.count[address]++
	}
	e.mu.Unlock()
	fmt.Fprint(conn, "HTTP/1.1 403 Forbidden by gameday\r\nContent-Length: 0\r\n\r\n")
}

func (e *egress) attempts() map[string]int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.count)
}

func (e *egress) close() {
	if e.listener != nil {
		e.listener.Close()
	}
}
