// Package prometheus asks Prometheus and Alertmanager, and whatever answers
// like them (Thanos, Mimir, VictoriaMetrics), over HTTP. It believes nothing
// that does not look like their answer: a login page, an empty body, half a
// document or a success without data is an error that says so, never "no
// alerts". It reads only; it sends no request but GET.
package prometheus

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Bounds of one request. Both are generous: a healthy server needs neither.
const (
	requestTimeout = 10 * time.Second
	maxAnswer      = 64 << 20
)

// Config says where a server is and how to be let in.
type Config struct {
	// URL may have a path prefix: https://mimir.example/prometheus.
	URL string
	// CAFile, CertFile and KeyFile are PEM files; empty means the system's
	// roots and no client certificate.
	CAFile   string
	CertFile string
	KeyFile  string
	// BearerTokenFile is read for each request, since such tokens rotate.
	BearerTokenFile string
	// Headers are added to each request. Their values are secrets.
	Headers map[string]string
	// InsecureSkipVerify accepts any certificate.
	InsecureSkipVerify bool
}

// endpoint is one server and the way to it.
type endpoint struct {
	what   string // "Prometheus", for errors
	base   *url.URL
	config Config
	client *http.Client
}

func newEndpoint(what string, config Config) (*endpoint, error) {
	base, err := url.Parse(config.URL)
	if err != nil {
		// The text of a *url.Error repeats the URL, which may hold a password.
		return nil, fmt.Errorf("reading the URL of %s: it is not a URL", what)
	}
	switch {
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, fmt.Errorf("reading the URL of %s: it must begin with http:// or https://", what)
	case base.Host == "":
		return nil, fmt.Errorf("reading the URL of %s: it names no host", what)
	case base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("reading the URL of %s: it must end before any ? or #", what)
	}
	security, err := tlsConfig(what, config)
	if err != nil {
		return nil, err
	}
	return &endpoint{
		what:   what,
		base:   base,
		config: config,
		client: &http.Client{
			Transport: &http.Transport{
				Proxy:                 discreet(http.ProxyFromEnvironment),
				TLSClientConfig:       security,
				ForceAttemptHTTP2:     true,
				MaxIdleConnsPerHost:   2,
				IdleConnTimeout:       90 * time.Second,
				TLSHandshakeTimeout:   requestTimeout,
				ResponseHeaderTimeout: requestTimeout,
			},
			// A redirect leads to a login page, or takes our headers to a stranger.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// discreet keeps the URL of a proxy out of errors: of one that it cannot read
// the standard library repeats all, password included.
func discreet(proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(request *http.Request) (*url.URL, error) {
		through, err := proxy(request)
		if err != nil {
			return nil, errors.New("the proxy in HTTP_PROXY or HTTPS_PROXY is not a URL")
		}
		return through, nil
	}
}

func tlsConfig(what string, config Config) (*tls.Config, error) {
	security := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: config.InsecureSkipVerify}
	if config.CAFile != "" {
		pem, err := os.ReadFile(config.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading the CA of %s: %w", what, err)
		}
		security.RootCAs = x509.NewCertPool()
		if !security.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading the CA of %s: %s holds no PEM certificate", what, config.CAFile)
		}
	}
	if (config.CertFile == "") != (config.KeyFile == "") {
		return nil, fmt.Errorf("reading the client certificate of %s: certFile and keyFile need each other", what)
	}
	if config.CertFile == "" {
		return security, nil
	}
	if _, err := tls.LoadX509KeyPair(config.CertFile, config.KeyFile); err != nil {
		return nil, fmt.Errorf("reading the client certificate of %s: %w", what, err)
	}
	security.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(config.CertFile, config.KeyFile) // again: certificates rotate
		return &pair, err
	}
	return security, nil
}

// at joins a path of the API to the prefix of the URL.
func (e *endpoint) at(path string, query url.Values) string {
	joined := e.base.JoinPath(path)
	joined.RawQuery = query.Encode()
	return joined.String()
}

// String names the server without its credentials.
func (e *endpoint) String() string {
	bare := *e.base
	bare.User = nil
	return e.what + " at " + strings.TrimSuffix(bare.String(), "/")
}

// letIn adds what the server wants to see before it answers.
func (e *endpoint) letIn(request *http.Request) error {
	for name, value := range e.config.Headers {
		if http.CanonicalHeaderKey(name) == "Host" {
			request.Host = value
			continue
		}
		request.Header.Set(name, value)
	}
	if e.config.BearerTokenFile == "" {
		return nil
	}
	token, err := os.ReadFile(e.config.BearerTokenFile)
	if err != nil {
		return fmt.Errorf("reading bearer token: %w", err)
	}
	if len(strings.TrimSpace(string(token))) == 0 {
		return errors.New("reading bearer token: " + e.config.BearerTokenFile + " is empty")
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	return nil
}
