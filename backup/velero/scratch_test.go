package velero

import (
	"context"
	"fmt"
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
	"gameday.dev/gameday/verify/objects"
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

// What the original calls gameday is compared like everything else; what the run makes is
// called as nothing of the original's can be, and expected.
func TestTheRunsOwnIsToldFromTheOriginals(t *testing.T) {
	c := &climb{spec: &Restore{}, env: experiments.Env{RunID: "r"}, plan: restorePlan{Source: "shop", Into: "drill", Own: "gameday-r-0001"}, contents: plainShop(t)}
	quota, err := c.quota(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{c.isolation().Name, quota.Name} {
		if name != c.plan.Own {
			t.Errorf("it is called %s", name)
		}
	}
	const policy = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {namespace: shop, name: %s%s}, spec: {podSelector: {}}}"
	own := fmt.Sprintf(policy, c.plan.Own, ", labels: {gameday.dev/run: r}")
	theirs := fmt.Sprintf(policy, "gameday", "")
	for name, test := range map[string]struct {
		found []string
		loss  string
	}{
		"restored": {[]string{own, theirs}, ""},
		"lost":     {[]string{own}, "NetworkPolicy shop/gameday: missing"},
	} {
		result, err := objects.Comparison{Wanted: backedUp(t, theirs), Found: backedUp(t, test.found...), Rules: ownRules("r"), Keep: 9}.Run(t.Context())
		if err != nil || result.Expected["gameday: its own"] != 1 {
			t.Errorf("%s: expected %v, %v", name, result.Expected, err)
		}
		said := ""
		for _, loss := range result.Loss {
			said += loss.String()
		}
		if (test.loss == "") != (said == "") || !strings.Contains(said, test.loss) {
			t.Errorf("%s: lost %q", name, said)
		}
	}
}
