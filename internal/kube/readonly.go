package kube

import (
	"fmt"
	"net/http"
	"strings"

	"k8s.io/client-go/rest"
)

// ReadOnly makes every client of config unable to change the cluster: the
// transport itself refuses the request, whatever the code above it intends.
func ReadOnly(config *rest.Config) {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return readOnly{next} })
}

type readOnly struct{ next http.RoundTripper }

// RoundTrip passes reads, dry-run evictions and questions about oneself: what
// one may do, and who one is. Anything else is an error and never reaches the network.
func (t readOnly) RoundTrip(request *http.Request) (*http.Response, error) {
	if !changesNothing(request) {
		return nil, fmt.Errorf("refusing %s %s: this command only reads", request.Method, request.URL.Path)
	}
	return t.next.RoundTrip(request)
}

func changesNothing(request *http.Request) bool {
	switch request.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return !acts(request.URL.Path)
	case http.MethodPost:
		path := request.URL.Path
		if strings.HasSuffix(path, "/eviction") {
			return request.URL.Query().Get("dryRun") == "All"
		}
		return strings.HasSuffix(path, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") ||
			strings.HasSuffix(path, "/apis/authentication.k8s.io/v1/selfsubjectreviews")
	default:
		return false
	}
}

// acts says whether a request does something in spite of its method: a GET
// opens a shell in a pod, or reaches a service behind the API server.
func acts(path string) bool {
	parts := strings.Split(path, "/")
	for i := 2; i < len(parts); i++ { // …/pods/web-1/exec
		switch parts[i] {
		case "exec", "attach", "portforward", "proxy":
			if kind := parts[i-2]; kind == "pods" || kind == "services" || kind == "nodes" {
				return true
			}
		}
	}
	return false
}
