package scratch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"gameday.dev/gameday/internal/pki"
)

// credentials are files in a member's directory. The key of the authority that
// has signed them was never written and is gone.
type credentials struct{ dir string }

func (c credentials) ca() string         { return filepath.Join(c.dir, "ca.crt") }
func (c credentials) serverCert() string { return filepath.Join(c.dir, "server.crt") }
func (c credentials) serverKey() string  { return filepath.Join(c.dir, "server.key") }
func (c credentials) clientCert() string { return filepath.Join(c.dir, "client.crt") }
func (c credentials) clientKey() string  { return filepath.Join(c.dir, "client.key") }

// lifetime is longer than any drill.
const lifetime = 7 * 24 * time.Hour

// superuser owns everything in an etcd with users of its own, and exists in each
// such (auth.AuthEnable requires it). A certificate of that name reads a restored
// copy without its passwords, and without changing it.
const superuser = "root"

// writeCredentials makes an authority, and what it signs.
func writeCredentials(dir string) (credentials, error) {
	c := credentials{dir}
	authority, err := pki.NewAuthority("gameday scratch CA", lifetime)
	if err != nil {
		return c, err
	}
	server, err := authority.Issue(pki.Subject{Name: "gameday scratch member", Hosts: []string{"127.0.0.1"}})
	if err != nil {
		return c, err
	}
	client, err := authority.Issue(pki.Subject{Name: superuser})
	if err != nil {
		return c, err
	}
	return c, errors.Join(
		authority.WriteCertificate(filepath.Join(dir, "ca")),
		server.Write(filepath.Join(dir, "server")),
		client.Write(filepath.Join(dir, "client")),
	)
}

// server is what a listener shows, and whom it lets in.
func (c credentials) server() transport.TLSInfo {
	return transport.TLSInfo{CertFile: c.serverCert(), KeyFile: c.serverKey(), TrustedCAFile: c.ca(), ClientCertAuth: true}
}

// tls is what a client shows, and whom it trusts.
func (c credentials) tls() (*tls.Config, error) {
	ca, err := os.ReadFile(c.ca())
	if err != nil {
		return nil, fmt.Errorf("reading the certificates of a scratch member: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("reading %s: it holds no certificate", c.ca())
	}
	pair, err := tls.LoadX509KeyPair(c.clientCert(), c.clientKey())
	if err != nil {
		return nil, fmt.Errorf("reading the certificates of a scratch member: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: []tls.Certificate{pair}}, nil
}

func (c credentials) client(endpoint string) (*clientv3.Client, error) {
	config, err := c.tls()
	if err != nil {
		return nil, err
	}
	return connect(endpoint, config)
}

func connect(endpoint string, config *tls.Config) (*clientv3.Client, error) {
	const window = 8 << 20 // a page of values is some MB: it should come in one go
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{endpoint}, TLS: config, Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{
			grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window), grpc.WithReadBufferSize(256 << 10),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("connecting to scratch member %s: %w", endpoint, err)
	}
	return client, nil
}
