package apiserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"gameday.dev/gameday/internal/child"
)

const (
	// ports is how many are tried: kube-apiserver does not choose one itself, and
	// somebody else may take the one that was free a moment ago.
	ports = 5
	// readyEvery is the pause between questions; there is nothing to watch yet.
	readyEvery = 100 * time.Millisecond
	// readyPatience bounds one question.
	readyPatience = 3 * time.Second
	// keylessPatience is how long nothing but what needs a missing key may hold
	// readiness up until it is taken for all there will be.
	keylessPatience = 8 * time.Second
)

// Start boots it and waits until it is ready. An error is a *Failure.
func Start(ctx context.Context, c Config) (*Server, error) {
	for _, flags := range [][]string{c.Flags, c.At.APIServerFlags} {
		if err := CheckFlags(flags); err != nil {
			return nil, machine(err)
		}
	}
	if err := os.Mkdir(c.Dir, 0o700); err != nil {
		return nil, machine(fmt.Errorf("making the scratch API server's directory: %w", err))
	}
	server, err := c.boot(ctx)
	if err != nil {
		os.RemoveAll(c.Dir)
		return nil, err
	}
	return server, nil
}

func (c Config) boot(ctx context.Context) (*Server, error) {
	own, err := makeCredentials(c.Dir)
	if err != nil {
		return nil, machine(err)
	}
	egressFile, egress, err := refuseEgress(c.Dir)
	if err != nil {
		return nil, machine(err)
	}
	for attempt := 1; ; attempt++ {
		server, err := c.try(ctx, own, egressFile, egress)
		if err == nil {
			return server, nil
		}
		if !errors.Is(err, errPortTaken) || attempt == ports {
			egress.close()
			return nil, err
		}
	}
}

// try starts it once, on a port that is free just now.
func (c Config) try(ctx context.Context, own credentials, egressFile string, egress *egress) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, machine(err)
	}
	began := time.Now()
	process, err := child.Start(child.Spec{
		Args: c.arguments(own, egressFile, port),
		Dir:  c.Dir,
		// Nothing of ours, least of all a proxy.
		Env: []string{"HOME=" + c.Dir, "TMPDIR=" + c.Dir},
	})
	if err != nil {
		return nil, machine(err)
	}
	s := &Server{dir: c.Dir, process: process, egress: egress}
	s.transport = &http.Transport{TLSClientConfig: own.client.Clone(), ForceAttemptHTTP2: true, DisableCompression: true}
	host := fmt.Sprintf("https://127.0.0.1:%d", port)
	ready, err := c.awaitReady(ctx, s, host)
	if err != nil {
		s.transport.CloseIdleConnections()
		process.Stop(0)
		return nil, err
	}
	s.BootTook = ready.Sub(began)
	s.Client, err = kubernetes.NewForConfigAndClient(&rest.Config{Host: host, QPS: -1, UserAgent: "gameday"},
		&http.Client{Transport: mortal{s}})
	if err != nil {
		process.Stop(0)
		return nil, machine(fmt.Errorf("connecting to the scratch API server: %w", err))
	}
	return s, nil
}

// awaitReady asks until the server says that it is ready, has ended, or ctx has.
func (c Config) awaitReady(ctx context.Context, s *Server, host string) (ready time.Time, err error) {
	ticker := time.NewTicker(readyEvery)
	defer ticker.Stop()
	var last readiness
	var keyless time.Time // since when nothing else is missing
	for {
		select {
		case <-s.process.Ended():
			return ready, c.ended(s.process)
		case <-ctx.Done():
			return ready, c.notReady(ctx, last, s.process.Stderr())
		case <-ticker.C:
		}
		answer, err := askReady(ctx, s.transport, host)
		if err != nil {
			continue // it does not listen yet
		}
		switch last = answer; {
		case last.ready:
			return time.Now(), nil
		case !last.wantsKeys(s.process.Stderr()):
			keyless = time.Time{}
		case keyless.IsZero():
			keyless = time.Now()
		case time.Since(keyless) > keylessPatience:
			s.Keyless = last.failing
			return keyless, nil
		}
	}
}

// readiness is what /readyz says.
type readiness struct {
	answered bool
	ready    bool
	failing  []string // names of checks
}

// wantsKeys says whether all that fails are the checks that wait for every
// resource to be read, and the log says that some lack a key.
func (r readiness) wantsKeys(log string) bool {
	others := slices.ContainsFunc(r.failing, func(check string) bool {
		return check != "informer-sync" && check != "poststarthook/storage-readiness" && !strings.HasPrefix(check, "kms-")
	})
	return len(r.failing) > 0 && !others && slices.ContainsFunc(complaints(log), locked)
}

func askReady(ctx context.Context, transport http.RoundTripper, host string) (readiness, error) {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, host+"/readyz?verbose", nil)
	if err != nil {
		return readiness{}, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return readiness{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return readiness{}, err
	}
	r := readiness{answered: true, ready: response.StatusCode == http.StatusOK}
	for line := range strings.Lines(string(body)) { // "[-]informer-sync failed: reason withheld"
		if check, failing := strings.CutPrefix(line, "[-]"); failing {
			name, _, _ := strings.Cut(strings.TrimSpace(check), " ")
			r.failing = append(r.failing, name)
		}
	}
	return r, nil
}

// freePort finds a port of loopback that nobody has just now.
func freePort() (int, error) {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// mortal gives up at once when the server's process is gone, so that nobody
// waits for it to come back.
type mortal struct{ server *Server }

func (m mortal) RoundTrip(request *http.Request) (*http.Response, error) {
	select {
	case <-m.server.process.Ended():
		return nil, errServerGone
	default:
		return m.server.transport.RoundTrip(request)
	}
}
