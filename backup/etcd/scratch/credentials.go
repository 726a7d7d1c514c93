package scratch

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
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
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gameday scratch CA"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return c, err
	}
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return c, err
	}
	sign := func(certFile, keyFile string, cert *x509.Certificate) error {
		cert.NotBefore, cert.NotAfter = authority.NotBefore, authority.NotAfter
		cert.KeyUsage = x509.KeyUsageDigitalSignature
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		signed, err := x509.CreateCertificate(rand.Reader, cert, authority, key.Public(), authorityKey)
		if err != nil {
			return err
		}
		encoded, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			return err
		}
		return errors.Join(writePEM(certFile, "CERTIFICATE", signed), writePEM(keyFile, "EC PRIVATE KEY", encoded))
	}
	return c, errors.Join(
		writePEM(c.ca(), "CERTIFICATE", der),
		sign(c.serverCert(), c.serverKey(), &x509.Certificate{
			SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "gameday scratch member"},
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}),
		sign(c.clientCert(), c.clientKey(), &x509.Certificate{
			SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: superuser},
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}),
	)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
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
