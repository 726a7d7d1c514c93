package apiserver

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/backup/etcd/objects"
	"gameday.dev/gameday/experiments"
)

// realBinary finds a kube-apiserver that the local cluster has built, or the
// one that GAMEDAY_KUBE_APISERVER names.
func realBinary(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("boots real API servers, which takes a minute: run without -short")
	}
	if binary := os.Getenv("GAMEDAY_KUBE_APISERVER"); binary != "" {
		return binary
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("no cache directory to look for a kube-apiserver in: ", err)
	}
	found, err := filepath.Glob(filepath.Join(cache, "gameday", "cluster", "kubernetes-*", "bin", "kube-apiserver"))
	if err != nil || len(found) == 0 {
		t.Skip("no kube-apiserver here: make programs builds one, or name one with GAMEDAY_KUBE_APISERVER")
	}
	return slices.Max(found)
}

// testEtcd is a real member in this process, with TLS.
type testEtcd struct {
	*clientv3.Client
	endpoint string
	own      credentials
}

func startEtcd(t testing.TB, dataDir string) *testEtcd {
	t.Helper()
	own, err := makeCredentials(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	port := func(scheme string) url.URL {
		number, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		return url.URL{Scheme: scheme, Host: fmt.Sprintf("127.0.0.1:%d", number)}
	}
	config := embed.NewConfig()
	config.Dir, config.Name = dataDir, "s0"
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	clients, peers := port("https"), port("http")
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{clients}, []url.URL{clients}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peers}, []url.URL{peers}
	config.InitialCluster = "s0=" + peers.String()
	config.ClientTLSInfo = transport.TLSInfo{CertFile: own.certFile, KeyFile: own.keyFile, TrustedCAFile: own.caFile, ClientCertAuth: true}
	config.UnsafeNoFsync = true
	member, err := embed.StartEtcd(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(member.Close)
	select {
	case <-member.Server.ReadyNotify():
	case <-time.After(20 * time.Second):
		t.Fatal("etcd does not become ready")
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{clients.String()}, TLS: own.client, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return &testEtcd{Client: client, endpoint: clients.String(), own: own}
}

// restoreEtcd brings up a member on a snapshot of another.
func restoreEtcd(t testing.TB, from *testEtcd) *testEtcd {
	t.Helper()
	stream, err := from.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "snapshot.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := io.Copy(file, stream); err != nil {
		t.Fatal(err)
	}
	dataDir := filepath.Join(dir, "data")
	err = snapshot.NewV3(zap.NewNop()).Restore(snapshot.RestoreConfig{
		SnapshotPath: file.Name(), Name: "s0", OutputDataDir: dataDir,
		PeerURLs: []string{"http://127.0.0.1:1"}, InitialCluster: "s0=http://127.0.0.1:1", InitialClusterToken: "t",
	})
	if err != nil {
		t.Fatal(err)
	}
	return startEtcd(t, dataDir)
}

func (e *testEtcd) revision(t testing.TB) int64 {
	t.Helper()
	answer, err := e.Get(t.Context(), "none")
	if err != nil {
		t.Fatal(err)
	}
	return answer.Header.Revision
}

// reach writes what no API server reads until the member is at that revision.
func (e *testEtcd) reach(t testing.TB, revision int64) {
	t.Helper()
	for e.revision(t) < revision {
		if _, err := e.Put(t.Context(), "filler", "x"); err != nil {
			t.Fatal(err)
		}
	}
}

func (e *testEtcd) config(t testing.TB, binary string) Config {
	return Config{
		At:           experiments.Etcd{APIServer: binary, Prefix: "/registry"},
		EtcdEndpoint: e.endpoint, CAFile: e.own.caFile, CertFile: e.own.certFile, KeyFile: e.own.keyFile,
		Dir: filepath.Join(t.TempDir(), "apiserver"),
	}
}

func startServer(t testing.TB, c Config) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	server, err := Start(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

// create posts an object, and again while the server has not heard of its kind
// or namespace.
func create(t testing.TB, client kubernetes.Interface, path, object string) {
	t.Helper()
	var err error
	for range 100 {
		err = client.Discovery().RESTClient().Post().AbsPath(path).MaxRetries(0).
			SetHeader("Content-Type", "application/json").Body([]byte(object)).Do(t.Context()).Error()
		if err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("creating %s: %v", path, err)
}

func get(t testing.TB, client kubernetes.Interface, path string) map[string]any {
	t.Helper()
	raw, err := client.Discovery().RESTClient().Get().AbsPath(path).DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

const (
	secretValue = "hunter2-and-more"
	widgetCRD   = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"widgets.lab.io"},
"spec":{"group":"lab.io","scope":"Namespaced","names":{"plural":"widgets","singular":"widget","kind":"Widget"},
"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}`
)

// populate fills a cluster with a little of everything, including names whose
// order as text is not that of their parts: "shop-a/x" comes before "shop/x".
func populate(t testing.TB, client kubernetes.Interface) {
	t.Helper()
	for _, namespace := range []string{"shop", "shop-a", "shop0"} {
		create(t, client, "/api/v1/namespaces", `{"metadata":{"name":"`+namespace+`"}}`)
		create(t, client, "/api/v1/namespaces/"+namespace+"/configmaps", `{"metadata":{"name":"web"},"data":{"color":"red","size":"1"}}`)
	}
	for i := range 7 {
		create(t, client, "/api/v1/namespaces/shop/configmaps", fmt.Sprintf(`{"metadata":{"name":"c-%d"},"data":{"n":"%d"}}`, i, i))
	}
	create(t, client, "/api/v1/namespaces/shop/secrets", `{"metadata":{"name":"db"},"stringData":{"password":"`+secretValue+`"}}`)
	create(t, client, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", widgetCRD)
	create(t, client, "/apis/lab.io/v1/namespaces/shop/widgets", `{"apiVersion":"lab.io/v1","kind":"Widget","metadata":{"name":"one"},"spec":{"size":1}}`)
	create(t, client, "/apis/lab.io/v1/namespaces/shop/widgets", `{"apiVersion":"lab.io/v1","kind":"Widget","metadata":{"name":"two"},"spec":{"size":2}}`)
}

// stored counts the objects by resource, as the walk does.
func (e *testEtcd) stored(t testing.TB, revision int64) map[string]int64 {
	t.Helper()
	decoder, err := objects.NewDecoder("/registry", "")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := e.Get(t.Context(), "/registry/", clientv3.WithPrefix(), clientv3.WithRev(revision))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int64{}
	for _, pair := range answer.Kvs {
		object, err := decoder.Decode(pair.Key, pair.Value)
		if err != nil {
			object = decoder.Name(pair.Key)
		}
		counts[object.Resource]++
	}
	return counts
}

func noLeak(t testing.TB, what any) {
	t.Helper()
	text := fmt.Sprintf("%+v", what)
	// Base64 as in JSON, too.
	for _, secret := range []string{secretValue, "aHVudGVyMi1hbmQtbW9", "changed-secret"} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret leaks: %s", text)
		}
	}
}
