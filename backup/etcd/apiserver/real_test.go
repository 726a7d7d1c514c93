package apiserver

import (
	"encoding/json"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// What is planted in a restored etcd is found and named, on real API servers.
func TestComparisonOnRealServers(t *testing.T) {
	binary := realBinary(t)
	etcd := startEtcd(t, t.TempDir())
	living := startServer(t, etcd.config(t, binary))
	populate(t, living.Client)
	secret := get(t, living.Client, "/api/v1/namespaces/shop/secrets/db")
	configMap := get(t, living.Client, "/api/v1/namespaces/shop/configmaps/web")

	put := func(key string, object any) func(*testing.T, *testEtcd) {
		return func(t *testing.T, e *testEtcd) {
			t.Helper()
			raw, ok := object.(string)
			if !ok {
				encoded, err := json.Marshal(object)
				if err != nil {
					t.Fatal(err)
				}
				raw = string(encoded)
			}
			if _, err := e.Put(t.Context(), key, raw); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(key string, options ...clientv3.OpOption) func(*testing.T, *testEtcd) {
		return func(t *testing.T, e *testEtcd) {
			t.Helper()
			if _, err := e.Delete(t.Context(), key, options...); err != nil {
				t.Fatal(err)
			}
		}
	}
	altered := func(object map[string]any, field, value string) map[string]any {
		var other map[string]any
		raw, _ := json.Marshal(object)
		_ = json.Unmarshal(raw, &other)
		other["data"].(map[string]any)[field] = value
		return other
	}
	extra := altered(configMap, "color", "red")
	extra["metadata"].(map[string]any)["name"] = "zzz"

	scenes := map[string]struct {
		damage func(*testing.T, *testEtcd)
		check  func(*testing.T, Compared)
	}{
		"what is whole equals": {func(*testing.T, *testEtcd) {}, func(t *testing.T, c Compared) {
			if c.DifferentCount+c.MissingCount+c.ExtraCount != 0 || len(c.Untold) > 0 || c.Equal != c.Objects || c.Compacted {
				t.Errorf("%+v", c)
			}
		}},
		"an altered value is named by its path": {put("/registry/configmaps/shop/web", altered(configMap, "color", "blue")), func(t *testing.T, c Compared) {
			if c.DifferentCount != 1 || !strings.HasPrefix(c.Different[0], "ConfigMap shop/web: data.color differs") || strings.Contains(c.Different[0], "blue") {
				t.Errorf("%+v", c)
			}
		}},
		"an altered Secret is named without its value": {put("/registry/secrets/shop/db", altered(secret, "password", "Y2hhbmdlZC1zZWNyZXQ=")), func(t *testing.T, c Compared) {
			if c.DifferentCount != 1 || !strings.HasPrefix(c.Different[0], "Secret shop/db: data.password differs") {
				t.Errorf("%+v", c)
			}
		}},
		"a deleted key is missing": {remove("/registry/configmaps/shop/c-3"), func(t *testing.T, c Compared) {
			if c.MissingCount != 1 || c.Missing[0] != "ConfigMap shop/c-3" {
				t.Errorf("%+v", c)
			}
		}},
		"an additional key is extra": {put("/registry/configmaps/shop/zzz", extra), func(t *testing.T, c Compared) {
			if c.ExtraCount != 1 || c.Extra[0] != "ConfigMap shop/zzz" {
				t.Errorf("%+v", c)
			}
		}},
		"a lost definition loses its objects": {remove("/registry/apiextensions.k8s.io/customresourcedefinitions/widgets.lab.io"), func(t *testing.T, c Compared) {
			all := strings.Join(c.Missing, "\n")
			if !strings.Contains(all, "2 widgets.lab.io are stored, but the restored API server does not serve them") ||
				!strings.Contains(all, "CustomResourceDefinition widgets.lab.io") {
				t.Errorf("%+v", c)
			}
		}},
		"a lost resource is missing": {remove("/registry/lab.io/widgets/", clientv3.WithPrefix()), func(t *testing.T, c Compared) {
			if c.MissingCount != 2 || c.Missing[0] != "Widget shop/one" {
				t.Errorf("%+v", c)
			}
		}},
		"what can't be decoded can't be listed": {put("/registry/lab.io/widgets/shop/one", `{"spec": "hunter2-and-more`), func(t *testing.T, c Compared) {
			if c.MissingCount != 2 || !strings.Contains(c.Missing[0], "2 widgets.lab.io: the restored API server can't list them: what is stored can't be decoded") {
				t.Errorf("%+v", c)
			}
		}},
	}
	for name, scene := range scenes {
		t.Run(name, func(t *testing.T) {
			restored := restoreEtcd(t, etcd)
			scene.damage(t, restored)
			revision := restored.revision(t)
			etcd.reach(t, revision)
			server := startServer(t, restored.config(t, binary))
			compared, err := Compare(t.Context(), Options{
				Live: living.Client, Restored: server.Client, Revision: revision, Stored: restored.stored(t, revision),
			})
			if err != nil {
				t.Fatal(err)
			}
			compared.Counts = nil // long
			noLeak(t, compared)
			scene.check(t, compared)
			if refused := server.Refused(); len(refused) > 0 {
				t.Errorf("the scratch server wanted to reach %v", refused)
			}
		})
	}
}
