package apiserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
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
	made, err := c.make()
	if err != nil {
		return credentials{}, fmt.Errorf("making credentials for the scratch API server: %w", err)
	}
	return made, nil
}

func (c credentials) make() (credentials, error) {
	ca, caKey, err := certify("gameday scratch CA", nil, nil, nil)
	if err != nil {
		return c, err
	}
	server, serverKey, err := certify("kube-apiserver", nil, ca, caKey)
	if err != nil {
		return c, err
	}
	// system:masters passes every authorizer of an API server.
	client, clientKey, err := certify("gameday", []string{"system:masters"}, ca, caKey)
	if err != nil {
		return c, err
	}
	accountKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return c, err
	}
	if err := writePEM(c.caFile, "CERTIFICATE", ca.Raw); err != nil {
		return c, err
	}
	if err := writePEM(c.certFile, "CERTIFICATE", server.Raw); err != nil {
		return c, err
	}
	if err := writeKey(c.keyFile, serverKey); err != nil {
		return c, err
	}
	if err := writeKey(c.accountKeyFile, accountKey); err != nil {
		return c, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	c.client = &tls.Config{
		MinVersion:   tls.VersionTLS12,
		RootCAs:      roots,
		Certificates: []tls.Certificate{{Certificate: [][]byte{client.Raw}, PrivateKey: clientKey}},
	}
	return c, nil
}

// certify makes a key and a certificate for it: a CA when ca is nil, else one
// for a server on loopback and its client.
func certify(name string, organization []string, ca *x509.Certificate, caKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name, Organization: organization},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(lifetime),
		BasicConstraintsValid: true,
	}
	parent, parentKey := ca, caKey
	if ca == nil {
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
		parent, parentKey = template, key
	} else {
		template.KeyUsage = x509.KeyUsageDigitalSignature
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(raw)
	return certificate, key, err
}

func writeKey(file string, key *ecdsa.PrivateKey) error {
	raw, err := x509.MarshalECPrivateKey(key) // kube-apiserver takes no PKCS #8 for service accounts
	if err != nil {
		return err
	}
	return writePEM(file, "EC PRIVATE KEY", raw)
}

func writePEM(file, kind string, raw []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600)
}
