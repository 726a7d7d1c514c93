package snapshots

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Each case is stored in an etcd of its own making and read from its snapshot.
func TestContentOfRealSnapshots(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	client := etcd(t)
	tests := []struct {
		name   string
		fill   func(t *testing.T)
		at     time.Time
		source string
	}{
		{"nothing", func(*testing.T) {}, time.Time{}, "it holds no keys"},
		{"a small bucket", func(t *testing.T) { put(t, client, "/other", []byte("x")) }, time.Time{}, "none of its newest 1 revisions holds an object under /registry/"},
		{"encrypted alone", func(t *testing.T) {
			put(t, client, key("leases", "kube-node-lease", "n1"), []byte("k8s:enc:aescbc:v1:key1:\x00\x01"))
		}, time.Time{}, "none of its newest"},
		{"created", func(t *testing.T) { put(t, client, key("pods", "shop", "a"), pod(t, "a", ago(5*time.Hour))) },
			ago(5 * time.Hour), "creationTimestamp of Pod shop/a at revision "},
		{"a custom resource", func(t *testing.T) {
			put(t, client, key("shop.example/carts", "shop", "c"), fmt.Appendf(nil,
				`{"apiVersion":"shop.example/v1","kind":"Cart","metadata":{"name":"c","namespace":"shop","creationTimestamp":%q,"managedFields":[{"time":%q}]}}`,
				ago(5*time.Hour).Format(time.RFC3339), ago(4*time.Hour).Format(time.RFC3339)))
		}, ago(4 * time.Hour), "managedFields of Cart shop/c"},
		{"an event", func(t *testing.T) {
			put(t, client, key("events", "shop", "e1"), event(t, "e1", ago(190*time.Minute)))
			put(t, client, key("events", "shop", "e2"), event(t, "e2", ago(190*time.Minute+10*time.Second)))
		}, ago(190 * time.Minute), "lastTimestamp of Event shop/e1"},
		{"leases", func(t *testing.T) {
			put(t, client, key("leases", "kube-node-lease", "n1"), lease(t, "n1", ago(3*time.Hour)))
			put(t, client, key("leases", "kube-node-lease", "n2"), lease(t, "n2", ago(3*time.Hour-4*time.Second)))
		}, ago(3*time.Hour - 4*time.Second), "renewTime of Lease kube-node-lease/n2"},
		{"a lease that runs ahead of later ones", func(t *testing.T) {
			put(t, client, key("leases", "shop", "own"), lease(t, "own", ago(time.Hour)))
			put(t, client, key("leases", "kube-node-lease", "n1"), lease(t, "n1", ago(3*time.Hour-10*time.Second)))
			put(t, client, key("leases", "kube-node-lease", "n2"), lease(t, "n2", ago(3*time.Hour-14*time.Second)))
			put(t, client, key("leases", "shop", "own"), lease(t, "own", ago(time.Hour-10*time.Second)))
		}, ago(3*time.Hour - 14*time.Second), "renewTime of Lease kube-node-lease/n2"},
		{"an event that runs ahead of later leases", func(t *testing.T) {
			put(t, client, key("events", "shop", "e3"), event(t, "e3", ago(2*time.Hour)))
			put(t, client, key("leases", "kube-node-lease", "n1"), lease(t, "n1", ago(3*time.Hour-20*time.Second)))
			put(t, client, key("leases", "kube-node-lease", "n2"), lease(t, "n2", ago(3*time.Hour-24*time.Second)))
		}, ago(3*time.Hour - 24*time.Second), "renewTime of Lease kube-node-lease/n2"},
		{"a lease of a dead node, labelled by someone", func(t *testing.T) {
			put(t, client, key("leases", "kube-node-lease", "n3"), lease(t, "n3", ago(30*time.Hour)))
		}, ago(3*time.Hour - 24*time.Second), "renewTime of Lease kube-node-lease/n2"},
		{"a lease of times to come", func(t *testing.T) {
			put(t, client, key("leases", "shop", "own"), lease(t, "own", ago(-time.Hour)))
			put(t, client, key("leases", "shop", "too"), lease(t, "too", ago(-time.Hour)))
		}, ago(3*time.Hour - 24*time.Second), "renewTime of Lease kube-node-lease/n2"},
		{"deleted since", func(t *testing.T) {
			if _, err := client.Delete(t.Context(), "/registry/leases/", clientv3.WithPrefix()); err != nil {
				t.Fatal(err)
			}
		}, ago(3*time.Hour - 24*time.Second), "renewTime of Lease kube-node-lease/n2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.fill(t)
			content, err := ReadContent(snapshot(t, client), "/registry")
			if err != nil {
				t.Fatal(err)
			}
			if !content.At.Equal(test.at) || !strings.HasPrefix(content.Source, test.source) {
				t.Errorf("%s by %q, want %s by %q", content.At, content.Source, test.at, test.source)
			}
		})
	}
}

// Archives and object stores give files times of their own, which make nothing
// that is in them older.
func TestContentAfterTheFile(t *testing.T) {
	client := etcd(t)
	renewed := time.Now().Add(-time.Hour)
	put(t, client, key("leases", "kube-node-lease", "n1"), lease(t, "n1", renewed))
	path := snapshot(t, client)
	before := renewed.Add(-24 * time.Hour)
	if err := os.Chtimes(path, before, before); err != nil {
		t.Fatal(err)
	}
	content, err := ReadContent(path, "/registry/")
	if err != nil {
		t.Fatal(err)
	}
	if content.At.Sub(renewed).Abs() > time.Second {
		t.Errorf("%s by %q, want %s", content.At, content.Source, renewed)
	}
}

func TestContentThatIsStillToCome(t *testing.T) {
	client := etcd(t)
	put(t, client, key("leases", "kube-node-lease", "n1"), lease(t, "n1", time.Now().Add(time.Hour)))
	content, err := ReadContent(snapshot(t, client), "/registry/")
	if err != nil {
		t.Fatal(err)
	}
	if !content.At.IsZero() || !strings.Contains(content.Source, "still to come") {
		t.Errorf("%s by %q", content.At, content.Source)
	}
}

// A snapshot of many revisions is no slower to read, and the newest count even
// when a compaction has left old ones between them.
func TestContentOfManyRevisions(t *testing.T) {
	client := etcd(t)
	now := time.Now().UTC().Truncate(time.Second)
	for i := range 3000 {
		name := fmt.Sprintf("p%d", i)
		put(t, client, key("pods", "shop", name), pod(t, name, now.Add(-48*time.Hour)))
	}
	put(t, client, key("leases", "kube-node-lease", "n1"), lease(t, "n1", now.Add(-time.Hour)))
	put(t, client, key("leases", "kube-node-lease", "n2"), lease(t, "n2", now.Add(-time.Hour)))
	path := snapshot(t, client)
	content, err := ReadContent(path, "/registry")
	if err != nil || !content.At.Equal(now.Add(-time.Hour)) {
		t.Fatalf("%+v, %v", content, err)
	}
	// The very same walk must agree with etcd on what the revisions are.
	if !strings.HasSuffix(content.Source, "at revision 3002") && !strings.HasSuffix(content.Source, "at revision 3003") {
		t.Errorf("source %q", content.Source)
	}
}

func TestNoSnapshot(t *testing.T) {
	directory := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := map[string]struct{ path, want string }{
		"empty":     {write("empty.db", ""), "it is empty"},
		"text":      {write("text.db", strings.Repeat("no snapshot\n", 10_000)), "it is no etcd database"},
		"directory": {directory, "it is no file"},
		"missing":   {filepath.Join(directory, "gone.db"), "no such file"},
	}
	for name, test := range tests {
		if _, err := ReadContent(test.path, "/registry"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
