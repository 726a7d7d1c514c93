package probe

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Of a list that comes in pages the first Ready pod may be on the last. One that is
// being deleted may still say that it is Ready.
func TestReadyPodIsTheFirstOfAll(t *testing.T) {
	pod := func(name, ready string) string {
		return fmt.Sprintf(`{"metadata":{"name":%q},"status":{"conditions":[{"type":"Ready","status":%q}]}}`, name, ready)
	}
	const going = `{"metadata":{"name":"web-1","deletionTimestamp":"2026-05-12T02:00:00Z"},"status":{"conditions":[{"type":"Ready","status":"True"}]}}`
	pages := map[string]string{
		"":     `"metadata":{"continue":"more"},"items":[` + pod("web-7", "True") + "," + going + "," + pod("web-2", "False") + `]`,
		"more": `"metadata":{},"items":[` + pod("web-4", "True") + `]`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("limit") == "" {
			t.Error("the list is not asked for in pages")
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"kind":"PodList","apiVersion":"v1",%s}`, pages[r.URL.Query().Get("continue")])
	}))
	defer server.Close()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	options := Options{Client: client, Namespace: "drill"}
	if found, err := options.readyPod(t.Context(), "app=web"); err != nil || found.Name != "web-4" {
		t.Errorf("got %v, %v", found, err)
	}
	pages[""] = `"metadata":{},"items":[` + pod("web-2", "False") + `]`
	if _, err := options.readyPod(t.Context(), "app=web"); err == nil || err.Error() != "none of 1 pods with app=web is Ready" {
		t.Errorf("%v", err)
	}
}
