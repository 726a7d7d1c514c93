package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// until calls f until it returns no error. When it gives up, the last reason
// is in the error. It polls: what it waits for tells nobody when it is ready.
func until(ctx context.Context, patience, interval time.Duration, what string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	begin := time.Now()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var last error
	for {
		err := f(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil && last != nil {
			err = last // that the time was up is no reason
		}
		last = err
		if end := (finalError{}); errors.As(err, &end) {
			return fmt.Errorf("waiting for %s: %w", what, end.error)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: gave up after %s: %w", what, time.Since(begin).Round(100*time.Millisecond), err)
		case <-ticker.C:
		}
	}
}

// final marks an error that waiting does not mend.
func final(err error) error { return finalError{err} }

type finalError struct{ error }

func dial(network, address string) error {
	conn, err := net.DialTimeout(network, address, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}

// readiness says how to see that a daemon on the machine serves.
func (c *Cluster) readiness(name string) func(context.Context) error {
	for i := range c.Etcd {
		if name == etcdMember(i) {
			// Readiness needs a quorum, which the first member to start has to wait for.
			return c.probe(c.etcdClientURL(i)+"/readyz", etcdCA, "etcd-client")
		}
	}
	switch name {
	case kubeAPIServer:
		return c.probe(c.serverURL()+"/readyz", clusterCA, "admin")
	case kubeControllerManager:
		return c.probe("https://"+c.Slot.loopback(portControllerManager)+"/healthz", "", "")
	case kubeScheduler:
		return c.probe("https://"+c.Slot.loopback(portScheduler)+"/healthz", "", "")
	case kwok:
		return c.probe("http://"+c.Slot.loopback(portKwok)+"/healthz", "", "")
	case prometheus:
		return c.probe(c.PrometheusURL()+"/-/ready", "", "")
	case alertmanager:
		return c.probe(c.AlertmanagerURL()+"/-/ready", "", "")
	case webhook:
		return c.probe(c.WebhookURL()+"/received", "", "")
	case provisioner:
		return c.probe("http://"+c.Slot.loopback(portProvisioner), "", "")
	case versitygw:
		return c.probe(c.S3URL()+"/health", "", "")
	}
	return nil
}

// probe asks a URL whether it is well, with a client certificate if one is named.
func (c *Cluster) probe(url, authority, user string) func(context.Context) error {
	return func(ctx context.Context) error {
		// Two servers have a certificate that they made themselves; it is
		// only asked there whether they live.
		config := &tls.Config{InsecureSkipVerify: authority == ""}
		if authority != "" {
			trusted, err := os.ReadFile(c.certificate(authority))
			if err != nil {
				return err
			}
			config.RootCAs = x509.NewCertPool()
			config.RootCAs.AppendCertsFromPEM(trusted)
			pair, err := tls.LoadX509KeyPair(c.certificate(user), c.key(user))
			if err != nil {
				return err
			}
			config.Certificates = []tls.Certificate{pair}
		}
		transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(response.Body, 2048))
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s says %s: %s", url, response.Status, lastLines(string(body), 3))
		}
		return nil
	}
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
