package etcdsnapshots

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/backups/internal/lookstest"
)

// snapshotOf is a real snapshot of an etcd in which nodes renewed their Leases
// at that moment; of one without an object when it is zero.
func snapshotOf(t *testing.T, renewed time.Time) []byte {
	t.Helper()
	config := embed.NewConfig()
	config.Dir = t.TempDir()
	config.Logger, config.LogLevel, config.UnsafeNoFsync = "zap", "fatal", true
	anywhere := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config.ListenClientUrls, config.ListenPeerUrls = anywhere, anywhere
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	server, err := embed.StartEtcd(config)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	<-server.Server.ReadyNotify()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + server.Clients[0].Addr().String()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	put := func(key, value string) {
		if _, err := client.Put(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	put("/other", config.Dir) // no two are copies of each other
	for i := 0; i < 3 && !renewed.IsZero(); i++ {
		name := fmt.Sprintf("n%d", i)
		put("/registry/leases/kube-node-lease/"+name, lease(t, name, renewed.Add(time.Duration(i)*time.Second)))
	}
	stream, err := client.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	data, err := io.ReadAll(stream)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func lease(t *testing.T, name string, renewed time.Time) string {
	micro := metav1.NewMicroTime(renewed)
	object := coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: name}, Spec: coordinationv1.LeaseSpec{RenewTime: &micro}}
	raw, err := object.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	unknown := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"}, Raw: raw}
	data, err := unknown.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return "k8s\x00" + string(data)
}

func store(t *testing.T, directory, name string, data []byte, modified time.Time) {
	t.Helper()
	path := filepath.Join(directory, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, modified, modified); err != nil {
		t.Fatal(err)
	}
}

func env(m *lookstest.Memory, directory string, grace time.Duration) verify.Env {
	return verify.Env{Record: m, Started: func() {}, Grace: grace, SnapshotDirectory: directory}
}
