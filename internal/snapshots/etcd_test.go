package snapshots

import (
	"context"
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
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// etcd is a member of its own with a client.
func etcd(t testing.TB) *clientv3.Client {
	t.Helper()
	config := embed.NewConfig()
	config.Dir = t.TempDir()
	config.Logger, config.LogLevel = "zap", "fatal"
	config.UnsafeNoFsync = true
	anywhere := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config.ListenClientUrls, config.ListenPeerUrls = anywhere, anywhere
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	server, err := embed.StartEtcd(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	select {
	case <-server.Server.ReadyNotify():
	case <-time.After(time.Minute):
		t.Fatal("etcd did not become ready")
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + server.Clients[0].Addr().String()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// snapshot stores what the member holds in a directory of its own.
func snapshot(t testing.TB, client *clientv3.Client) string {
	t.Helper()
	stream, err := client.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	path := filepath.Join(t.TempDir(), "snapshot.db")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(file, stream); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func put(t testing.TB, client *clientv3.Client, key string, value []byte) {
	t.Helper()
	if _, err := client.Put(context.Background(), key, string(value)); err != nil {
		t.Fatal(err)
	}
}

// stored is an object as an API server stores it.
func stored(t testing.TB, version, kind string, object interface{ Marshal() ([]byte, error) }) []byte {
	t.Helper()
	raw, err := object.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	unknown := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: version, Kind: kind}, Raw: raw}
	data, err := unknown.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte("k8s\x00"), data...)
}

func lease(t testing.TB, name string, renewed time.Time) []byte {
	micro := metav1.NewMicroTime(renewed)
	return stored(t, "coordination.k8s.io/v1", "Lease", &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: name, CreationTimestamp: metav1.NewTime(renewed.Add(-100 * time.Hour))},
		Spec:       coordinationv1.LeaseSpec{RenewTime: &micro},
	})
}

func pod(t testing.TB, name string, created time.Time) []byte {
	return stored(t, "v1", "Pod", &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, CreationTimestamp: metav1.NewTime(created)},
		Spec:       corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Name: "web", Image: "shop"}}},
	})
}

func event(t testing.TB, name string, last time.Time) []byte {
	return stored(t, "v1", "Event", &corev1.Event{
		ObjectMeta:    metav1.ObjectMeta{Namespace: "shop", Name: name, CreationTimestamp: metav1.NewTime(last.Add(-time.Minute))},
		LastTimestamp: metav1.NewTime(last),
	})
}

func key(kind, namespace, name string) string {
	return fmt.Sprintf("/registry/%s/%s/%s", kind, namespace, name)
}
