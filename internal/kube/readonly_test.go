package kube

import (
	"net/http"
	"testing"
)

func TestReadOnlyPassesNothingThatChangesTheCluster(t *testing.T) {
	const eviction = "https://api/api/v1/namespaces/shop/pods/web-1/eviction"
	for _, test := range []struct {
		method, url string
		passes      bool
	}{
		{"GET", "https://api/api/v1/pods", true},
		{"GET", "https://api/api/v1/pods?watch=true", true},
		{"GET", "https://api/api/v1/namespaces/proxy/pods/exec", true},
		{"POST", eviction + "?dryRun=All", true},
		{"POST", "https://api/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", true},
		{"POST", "https://api/apis/authentication.k8s.io/v1/selfsubjectreviews", true},
		{"POST", "https://api/apis/authentication.k8s.io/v1/tokenreviews", false},
		{"POST", eviction, false},
		{"GET", "https://api/api/v1/namespaces/shop/pods/web-1/exec?command=rm", false},
		{"GET", "https://api/api/v1/namespaces/shop/services/web/proxy/admin", false},
		{"POST", eviction + "?dryRun=", false},
		{"POST", "https://api/api/v1/namespaces/shop/pods?dryRun=All", false},
		{"PATCH", "https://api/api/v1/nodes/n1?dryRun=All", false},
		{"PUT", "https://api/api/v1/nodes/n1", false},
		{"DELETE", "https://api/api/v1/namespaces/shop/pods/web-1", false},
		{"DELETE", "https://api/api/v1/namespaces/shop/pods/web-1?dryRun=All", false},
		{"POST", "https://api/apis/authorization.k8s.io/v1/selfsubjectaccessreviews/eviction", false},
	} {
		t.Run(test.method+" "+test.url, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, test.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			reached := false
			transport := readOnly{next: roundTrip(func(*http.Request) (*http.Response, error) {
				reached = true
				return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
			})}
			response, err := transport.RoundTrip(request)
			if err == nil {
				response.Body.Close()
			}
			if reached != test.passes || (err == nil) != test.passes {
				t.Errorf("reached the network: %v, error: %v; want passes %v", reached, err, test.passes)
			}
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }
