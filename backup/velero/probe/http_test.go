package probe

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const podProxy = "/api/v1/namespaces/shop-drill/pods/web-1:8080/proxy"

// answering is a cluster whose one pod answers so.
func answering(t *testing.T, answer http.HandlerFunc) kubernetes.Interface {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/namespaces/shop-drill/pods" {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"web-1","namespace":"shop-drill"},"spec":{"containers":[{"name":"web"}]},"status":{"conditions":[{"type":"Ready","status":"True"}]}}]}`)
			return
		}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, BearerToken: "the-runners-own"})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// probing is one try.
func probing(t *testing.T, client kubernetes.Interface, probe HTTP) error {
	t.Helper()
	probe.Selector, probe.Port = "app=web", 8080
	_, err := (&Spec{HTTP: &probe}).try(t.Context(), Options{Client: client, Namespace: "shop-drill"})
	return err
}

// What an application answers is its data, or the passwords in its stack trace.
func TestAnswersOfAProbeAreNotTold(t *testing.T) {
	const secret = "postgres://shop:hunter2@db/shop"
	for _, status := range []int{200, 301, 404, 500, 503} {
		for _, kind := range []string{"text/plain", "application/json"} {
			client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", kind)
				w.Header().Set("Warning", `299 - "`+secret+`"`)
				w.WriteHeader(status)
				fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":%q}`, secret)
			})
			err := probing(t, client, HTTP{Path: "/orders", Expect: "^[0-9]+$"})
			if err == nil || strings.Contains(err.Error(), "hunter2") || status != 200 && !strings.Contains(err.Error(), fmt.Sprint(status)) {
				t.Errorf("status %d: %v", status, err)
			}
		}
	}
}

// A restored pod sends nobody anywhere, with the runner's token, too.
func TestProbesFollowNoRedirect(t *testing.T) {
	var asked []string
	client := answering(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		http.Redirect(w, r, "/api/v1/namespaces/kube-system/secrets", http.StatusFound)
	})
	err := probing(t, client, HTTP{Path: "/orders"})
	if err == nil || slices.ContainsFunc(asked, func(path string) bool { return !strings.HasPrefix(path, podProxy) }) {
		t.Errorf("%v: asked for %s", err, asked)
	}
}

func TestProbesAskThePod(t *testing.T) {
	for path, want := range map[string]string{
		"":                    podProxy + "/",
		"/":                   podProxy + "/",
		"/orders/":            podProxy + "/orders/",
		"/orders?since=a%20b": podProxy + "/orders?since=a%20b",
		"/a%2Fb/c%20d":        podProxy + "/a%2Fb/c%20d",
		"/100%25/...":         podProxy + "/100%25/...",
	} {
		asked := ""
		client := answering(t, func(_ http.ResponseWriter, r *http.Request) { asked = r.RequestURI })
		if err := probing(t, client, HTTP{Path: path}); err != nil || asked != want {
			t.Errorf("%q: %v: asked for %s, want %s", path, err, asked, want)
		}
	}
}
