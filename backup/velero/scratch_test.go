package velero

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/experiments"
)

// plainShop is what a backup holds of a namespace with one ConfigMap in it.
func plainShop(t *testing.T) *contents.Contents {
	t.Helper()
	return backedUp(t, `{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: config}}`)
}

// stored is a file that was read without an error.
type stored struct{ io.Reader }

func (stored) Err() error { return nil }

// Whatever the step is making when it is cut short is made before Undo looks for it,
// and nothing more is begun.
func TestWhatIsBeingMadeIsHeardToItsEnd(t *testing.T) {
	order := []string{"namespaces", "networkpolicies", "resourcequotas", "configmaps"}
	for i, cutAt := range order {
		t.Run(cutAt, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			var made []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				made = append(made, path.Base(r.URL.Path))
				object, _ := io.ReadAll(r.Body)
				if path.Base(r.URL.Path) == cutAt {
					cancel()
					time.Sleep(50 * time.Millisecond)
				}
				w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
				w.WriteHeader(http.StatusCreated)
				_, _ = w.Write(object)
			}))
			defer server.Close()
			client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			c := &climb{spec: &Restore{}, env: experiments.Env{Client: client, RunID: "r"}, plan: restorePlan{Velero: "velero", Source: "shop", Into: "drill", Own: "gameday-r-0001"}, contents: plainShop(t)}
			err = c.prepare(ctx)
			if last := i == len(order)-1; (err == nil) != last {
				t.Errorf("prepare says %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "Post") {
				t.Errorf("a request was given up half way: %v", err)
			}
			if len(made) != i+1 {
				t.Errorf("asked for %v after the cut at %s", made, cutAt)
			}
		})
	}
}
