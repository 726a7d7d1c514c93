package apiserver

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gameday.dev/gameday/internal/pki"
)

// lifetime of the credentials: longer than any drill, short enough to be worthless later.
const lifetime = 48 * time.Hour

// credentials are made for one scratch server and trusted by nobody else. What
// the server needs is in files, what its only client needs stays in memory.
type credentials struct {
	caFile, certFile, keyFile string // of the server; the CA is the clients', too
	accountKeyFile            string // signs service account tokens
	client                    *tls.Config
}

// makeCredentials makes them in dir.
func makeCredentials(dir string) (credentials, error) {
	c := credentials{
		caFile:         filepath.Join(dir, "ca.crt"),
		certFile:       filepath.Join(dir, "server.crt"),
		keyFile:        filepath.Join(dir, "server.key"),
		accountKeyFile: filepath.Join(dir, "service-account.key"),
	}
	if err := c.make(dir); err != nil {
		return credentials{}, fmt.Errorf("making credentials for the scratch API server: %w", err)
	}
	return c, nil
}

func (c *credentials) make(dir string) error {
	authority, err := pki.NewAuthority("gameday scratch CA", lifetime)
	if err != nil {
		return err
	}
	server, err := authority.Issue(pki.Subject{Name: "kube-apiserver", Hosts: []string{"127.0.0.1"}})
	if err != nil {
		return err
	}
	// system:masters passes every authorizer of an API server.
	client, err := authority.Issue(pki.Subject{Name: "gameday", Organizations: []string{"system:masters"}})
	if err != nil {
		return err
	}
	accountKey, _, err := pki.NewSigningKey()
	if err != nil {
		return err
	}
	if err := authority.WriteCertificate(filepath.Join(dir, "ca")); err != nil {
		return err
	}
	if err := server.Write(filepath.Join(dir, "server")); err != nil {
		return err
	}
	if err := os.WriteFile(c.accountKeyFile, accountKey, 0o600); err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(client.Certificate, client.Key)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.Certificate)
	c.client = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: []tls.Certificate{pair}}
	return nil
}
