package apiserver

import (
	"path/filepath"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// When the living cluster has compacted the snapshot's revision, what has not
// changed since is compared and the rest is left open.
func TestCompactedLivingCluster(t *testing.T) {
	binary := realBinary(t)
	etcd := startEtcd(t, t.TempDir())
	first := startServer(t, etcd.config(t, binary))
	populate(t, first.Client)
	damaged := restoreEtcd(t, etcd)
	for _, key := range []string{"/registry/configmaps/shop/c-3", "/registry/secrets/shop/db", "/registry/leases/kube-system/", "/registry/configmaps/shop/c-2"} {
		if _, err := damaged.Delete(t.Context(), key, clientv3.WithPrefix()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := damaged.Put(t.Context(), "/registry/configmaps/shop/c-4", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"shop","name":"c-4","uid":"1"}}`); err != nil {
		t.Fatal(err)
	}
	etcd.reach(t, damaged.revision(t))
	whole := restoreEtcd(t, etcd)

	api := first.Client.Discovery().RESTClient()
	path := "/api/v1/namespaces/shop/configmaps"
	if err := api.Delete().AbsPath(path + "/c-2").Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
	if err := api.Patch("application/merge-patch+json").AbsPath(path + "/c-1").Body([]byte(`{"data":{"n":"x"}}`)).Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
	create(t, first.Client, path, `{"metadata":{"name":"new"}}`)
	first.Stop()
	if _, err := etcd.Compact(t.Context(), etcd.revision(t)); err != nil {
		t.Fatal(err)
	}
	// One that has the revision in its cache would still list it.
	living := startServer(t, etcd.config(t, binary))

	for name, scene := range map[string]struct {
		etcd               *testEtcd
		missing, different string
	}{
		"whole":   {whole, "", ""},
		"damaged": {damaged, "ConfigMap shop/c-3,Secret shop/db", "ConfigMap shop/c-4: data is missing"}, // c-2 has been deleted by both
	} {
		t.Run(name, func(t *testing.T) {
			revision := scene.etcd.revision(t)
			server := startServer(t, scene.etcd.config(t, binary))
			compared, err := Compare(t.Context(), Options{Live: living.Client, Restored: server.Client, Revision: revision, Stored: scene.etcd.stored(t, revision)})
			if err != nil {
				t.Fatal(err)
			}
			compared.Counts = nil // long
			noLeak(t, compared)
			if strings.Join(compared.Missing, ",") != scene.missing || !strings.HasPrefix(strings.Join(compared.Different, ","), scene.different) || (compared.DifferentCount > 0) != (scene.different != "") || compared.ExtraCount > 0 {
				t.Errorf("%+v", compared)
			}
			// The second boot rewrites a few objects of its own, which are moved as well.
			if !compared.Compacted || len(compared.Untold) > 0 || compared.Moved < 2 || compared.Moved > 8 || compared.Equal < 190 {
				t.Errorf("%+v", compared)
			}
		})
	}
}

// What is stored at another version needs a webhook to be listed: nothing is
// told of it, and it counts against nobody.
func TestConversionIsUntold(t *testing.T) {
	binary := realBinary(t)
	etcd := startEtcd(t, t.TempDir())
	living := startServer(t, etcd.config(t, binary))
	traps := setTraps(t, living.Client)
	err := living.Client.Discovery().RESTClient().Patch("application/json-patch+json").AbsPath("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.lab.io").
		Body([]byte(`[{"op":"replace","path":"/spec/versions/0/storage","value":false},{"op":"replace","path":"/spec/versions/1/storage","value":true}]`)).Do(t.Context()).Error()
	if err != nil {
		t.Fatal(err)
	}
	restored := restoreEtcd(t, etcd)
	revision := restored.revision(t)
	config := restored.config(t, binary)
	// Too long for a socket: nobody listens, and nobody is reached.
	config.Dir = filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	server := startServer(t, config)
	compared, err := Compare(t.Context(), Options{Live: living.Client, Restored: server.Client, Revision: revision, Stored: restored.stored(t, revision)})
	if err != nil {
		t.Fatal(err)
	}
	compared.Counts = nil // long
	if !strings.Contains(compared.Untold["gadgets.lab.io"], "needs a webhook") || len(compared.Untold) != 1 || compared.MissingCount+compared.DifferentCount+compared.ExtraCount != 0 {
		t.Errorf("%+v", compared)
	}
	for name, trap := range traps {
		if calls := trap.calls.Load(); calls != 0 {
			t.Errorf("%s: reached %d times", name, calls)
		}
	}
}
