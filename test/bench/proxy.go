package main

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"gameday.dev/gameday/test/cluster"
)

// counter stands between one tool and the API server and counts its requests.
// It speaks HTTP/2 over TLS on both sides, as the API server does, and costs
// each tool the same for each request.
type counter struct {
	server *httptest.Server

	mu       sync.Mutex
	requests []request
}

// request is one request of the tool.
type request struct {
	at   time.Time
	what string // "POST pods/eviction"
}

func newCounter(c *cluster.Cluster) (*counter, error) {
	config, err := c.RESTConfig()
	if err != nil {
		return nil, err
	}
	upstream, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	to, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	n := &counter{}
	n.server = httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			n.count(r.In)
			r.SetURL(to)
			r.Out.Header.Del("Authorization") // the counter has credentials of its own
		},
		Transport:     upstream,
		FlushInterval: -1, // watches
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusBadGateway) // the tool has gone, mostly
		},
	})
	n.server.EnableHTTP2 = true
	n.server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	n.server.StartTLS()
	return n, nil
}

// writeKubeconfig writes the kubeconfig of a tool that is to be counted.
func (n *counter) writeKubeconfig(path string) error {
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: n.server.Certificate().Raw})
	const name = "counted"
	return clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: n.server.URL, CertificateAuthorityData: authority}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: {Token: "unused"}}, // without any, kubectl would ask for one
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name}},
		CurrentContext: name,
	}, path)
}

func (n *counter) count(r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests = append(n.requests, request{at: time.Now(), what: describe(r)})
}

// close ends the counting and returns what was counted.
func (n *counter) close() []request {
	n.server.CloseClientConnections()
	n.server.Close()
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.requests
}

// describe names a request by verb and resource, without names and namespaces.
func describe(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	default:
		return "discovery"
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	verb := r.Method
	switch {
	case r.URL.Query().Get("watch") != "":
		verb = "WATCH"
	case verb == http.MethodGet && len(parts) == 1:
		verb = "LIST"
	}
	if len(parts) > 2 {
		return verb + " " + parts[0] + "/" + parts[2]
	}
	return verb + " " + parts[0]
}

// between picks the requests of a stretch of time.
func between(requests []request, from, to time.Time) []request {
	return slices.DeleteFunc(slices.Clone(requests), func(r request) bool { return r.at.Before(from) || r.at.After(to) })
}

// tally sums requests up for people, the most frequent first.
func tally(requests []request) string {
	counts := map[string]int{}
	for _, r := range requests {
		counts[r.what]++
	}
	kinds := slices.Collect(maps.Keys(counts))
	slices.SortFunc(kinds, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, kind := range kinds {
		parts = append(parts, fmt.Sprintf("%d %s", counts[kind], kind))
	}
	return fmt.Sprintf("%d (%s)", len(requests), strings.Join(parts, ", "))
}
