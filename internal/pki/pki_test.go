package pki

import (
	"crypto/x509"
	"encoding/pem"
	"slices"
	"testing"
	"time"
)

func parse(t *testing.T, text []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatal("not PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func TestIssue(t *testing.T) {
	authority, err := NewAuthority("ca", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewAuthority("other", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	server, err := authority.Issue(Subject{Name: "server", Hosts: []string{"localhost", "127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	client, err := authority.Issue(Subject{Name: "system:node:n1", Organizations: []string{"system:nodes"}})
	if err != nil {
		t.Fatal(err)
	}
	trusted, untrusting := x509.NewCertPool(), x509.NewCertPool()
	trusted.AddCert(parse(t, authority.Certificate))
	untrusting.AddCert(parse(t, other.Certificate))
	asServer := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	asClient := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}

	for _, test := range []struct {
		name    string
		pair    KeyPair
		options x509.VerifyOptions
		ok      bool
	}{
		{"server by name", server, x509.VerifyOptions{Roots: trusted, DNSName: "localhost", KeyUsages: asServer}, true},
		{"server by address", server, x509.VerifyOptions{Roots: trusted, DNSName: "127.0.0.1", KeyUsages: asServer}, true},
		{"server elsewhere", server, x509.VerifyOptions{Roots: trusted, DNSName: "10.0.0.1", KeyUsages: asServer}, false},
		{"client", client, x509.VerifyOptions{Roots: trusted, KeyUsages: asClient}, true},
		{"client as a server", client, x509.VerifyOptions{Roots: trusted, KeyUsages: asServer}, false},
		{"another authority", client, x509.VerifyOptions{Roots: untrusting, KeyUsages: asClient}, false},
	} {
		if _, err := parse(t, test.pair.Certificate).Verify(test.options); (err == nil) != test.ok {
			t.Errorf("%s: verified: %v, want ok %v", test.name, err, test.ok)
		}
	}
	subject := parse(t, client.Certificate).Subject
	if subject.CommonName != "system:node:n1" || !slices.Equal(subject.Organization, []string{"system:nodes"}) {
		t.Errorf("the client is %s", subject)
	}
}
