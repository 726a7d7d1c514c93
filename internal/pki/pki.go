// Package pki makes authorities that live as long as what they are made for, and
// certificates of theirs: of scratch members and servers, and of test clusters.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
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

// A KeyPair is a certificate and its key, both PEM.
type KeyPair struct {
	Certificate []byte
	Key         []byte
}

// An Authority issues certificates.
type Authority struct {
	KeyPair
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// A Subject is who a certificate is for: to Kubernetes the name is the user
// and the organizations are its groups.
type Subject struct {
	Name          string
	Organizations []string
	Hosts         []string // DNS names and IP addresses it serves at; none for a mere client
}

// NewAuthority makes a self-signed authority. What it issues ends with it.
func NewAuthority(name string, lifetime time.Duration) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := certificate(Subject{Name: name}, time.Now().Add(lifetime))
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.KeyUsage |= x509.KeyUsageCertSign
	template.ExtKeyUsage = nil
	pair, err := sign(template, template, &key.PublicKey, key, key)
	if err != nil {
		return nil, fmt.Errorf("making authority %s: %w", name, err)
	}
	return &Authority{KeyPair: pair, certificate: template, key: key}, nil
}

// Issue makes a key and a certificate for it.
func (a *Authority) Issue(s Subject) (KeyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return KeyPair{}, err
	}
	template, err := certificate(s, a.certificate.NotAfter)
	if err != nil {
		return KeyPair{}, err
	}
	pair, err := sign(template, a.certificate, &key.PublicKey, key, a.key)
	if err != nil {
		return KeyPair{}, fmt.Errorf("issuing a certificate for %s: %w", s.Name, err)
	}
	return pair, nil
}

// Write puts the pair at base.crt and base.key, for nobody but this user.
func (p KeyPair) Write(base string) error {
	if err := p.WriteCertificate(base); err != nil {
		return err
	}
	return os.WriteFile(base+".key", p.Key, 0o600)
}

// WriteCertificate puts the certificate alone at base.crt: the key of an
// authority that has issued all it ever will is best never written.
func (p KeyPair) WriteCertificate(base string) error {
	if err := os.MkdirAll(filepath.Dir(base), 0o700); err != nil {
		return err
	}
	return os.WriteFile(base+".crt", p.Certificate, 0o600)
}

// NewSigningKey makes the key pair that service account tokens are signed
// with: PEM of the private key and of the public key.
func NewSigningKey() (private, public []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if private, err = encodeKey(key); err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, nil, err
	}
	return private, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

func certificate(s Subject, notAfter time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: s.Name, Organization: s.Organizations},
		NotBefore:             time.Now().Add(-time.Hour), // clocks differ
		NotAfter:              notAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	for _, host := range s.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, host)
		}
	}
	if len(s.Hosts) > 0 {
		c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	return c, nil
}

func sign(template, parent *x509.Certificate, public *ecdsa.PublicKey, own, signer *ecdsa.PrivateKey) (KeyPair, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return KeyPair{}, err
	}
	key, err := encodeKey(own)
	if err != nil {
		return KeyPair{}, err
	}
	return KeyPair{Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), Key: key}, nil
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}
