package live

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"gameday.dev/gameday/experiments"
)

// parseEndpoints holds URLs of members. The client takes its security from the
// first, so that http and https can not be mixed.
func parseEndpoints(endpoints []string) ([]string, error) {
	if len(endpoints) == 0 {
		return nil, errors.New("the environment names no endpoints: set etcd.endpoints to the members' client URLs, such as https://10.0.0.1:2379")
	}
	var parsed []string
	var scheme string
	for _, endpoint := range endpoints {
		u, err := url.Parse(strings.TrimSuffix(endpoint, "/"))
		switch {
		case err != nil:
			// url.Error repeats the URL, which may hold a password.
			var broken *url.Error
			if errors.As(err, &broken) {
				err = broken.Err
			}
			return nil, fmt.Errorf("reading an endpoint: %w", err)
		case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
			return nil, fmt.Errorf("reading endpoint %s: it must be a URL with http or https, such as https://10.0.0.1:2379", u.Redacted())
		case u.Path != "" || u.RawQuery != "" || u.User != nil:
			return nil, fmt.Errorf("reading endpoint %s: it must end after the port; a user is named by etcd.username and etcd.passwordFile", u.Redacted())
		case scheme != "" && u.Scheme != scheme:
			return nil, fmt.Errorf("reading endpoint %s: the others begin with %s; use one of the two for all", u.Redacted(), scheme)
		}
		scheme = u.Scheme
		if u.Port() == "" {
			u.Host += ":2379"
		}
		parsed = append(parsed, u.String())
	}
	return parsed, nil
}

// loadTLS reads certificates. Nil means that none are named: then http is
// spoken, or https with the authorities that this machine trusts.
func loadTLS(at experiments.Etcd, now time.Time) (*tls.Config, error) {
	if at.CAFile == "" && at.CertFile == "" && at.KeyFile == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if at.CAFile != "" {
		pool, err := loadCA(at.CAFile, now)
		if err != nil {
			return nil, err
		}
		config.RootCAs = pool
	}
	switch {
	case at.CertFile == "" && at.KeyFile == "":
		return config, nil
	case at.CertFile == "":
		return nil, fmt.Errorf("key file %s has no certificate: set etcd.certFile as well", at.KeyFile)
	case at.KeyFile == "":
		return nil, fmt.Errorf("certificate file %s has no key: set etcd.keyFile as well", at.CertFile)
	}
	pair, err := loadPair(at.CertFile, at.KeyFile, now)
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

func loadCA(path string, now time.Time) (*x509.CertPool, error) {
	text, err := readFile("CA file", path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("reading CA file %s: no certificate is in it; etcd.caFile must be PEM, as --trusted-ca-file of etcd", path)
	}
	// Several authorities are there while one takes over from another: the
	// file is of use while one of them is.
	var worst error
	for _, certificate := range certificates(text) {
		err := timely(certificate, now)
		if err == nil {
			return pool, nil
		}
		worst = err
	}
	if worst != nil {
		return nil, fmt.Errorf("reading CA file %s: %w", path, worst)
	}
	return pool, nil
}

func loadPair(certFile, keyFile string, now time.Time) (tls.Certificate, error) {
	certificate, err := readFile("certificate file", certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := readFile("key file", keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("reading certificate %s with key %s: %w: both must be PEM and made for each other", certFile, keyFile, err)
	}
	if err := timely(pair.Leaf, now); err != nil {
		return tls.Certificate{}, fmt.Errorf("reading certificate file %s: %w", certFile, err)
	}
	return pair, nil
}

// certificates are those of a PEM file that can be read.
func certificates(text []byte) []*x509.Certificate {
	var all []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			all = append(all, certificate)
		}
	}
	return all
}

func timely(certificate *x509.Certificate, now time.Time) error {
	switch {
	case certificate == nil:
		return nil
	case now.After(certificate.NotAfter):
		return fmt.Errorf("it expired on %s: name a renewed one", certificate.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(certificate.NotBefore):
		return fmt.Errorf("it is not valid before %s: look at this machine's clock", certificate.NotBefore.UTC().Format(time.RFC3339))
	default:
		return nil
	}
}

func readPassword(path string) (string, error) {
	if path == "" {
		return "", errors.New("a user is named without a password: set etcd.passwordFile as well")
	}
	text, err := readFile("password file", path)
	if err != nil {
		return "", err
	}
	password := string(bytes.TrimRight(text, "\r\n"))
	if password == "" {
		return "", fmt.Errorf("reading password file %s: it is empty", path)
	}
	return password, nil
}

// readFile reads a small file and says what to do when that fails.
func readFile(what, path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	var of *fs.PathError
	if errors.As(err, &of) {
		err = of.Err
	}
	switch {
	case err == nil:
		return text, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading %s %s: %w: look at the path in the environment, or mount it here", what, path, err)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("reading %s %s: %w: let this user read it", what, path, err)
	default:
		return nil, fmt.Errorf("reading %s %s: %w", what, path, err)
	}
}
