package walk

import (
	"bytes"
	"context"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"

	"gameday.dev/gameday/backup/etcd/objects"
)

// member is a real etcd in this process.
type member struct {
	*clientv3.Client
	dir     string
	address string // of its clients, fixed by the first start
	server  *embed.Etcd
	// hook is called before each range of several keys that Client asks for,
	// with their number.
	hook  func(request int)
	count atomic.Int64
}

func newMember(t testing.TB) *member {
	t.Helper()
	m := &member{dir: filepath.Join(t.TempDir(), "etcd"), address: "127.0.0.1:0"}
	m.start(t)
	t.Cleanup(func() { m.stop() })
	count := func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		if ranged, ok := request.(interface{ GetRangeEnd() []byte }); ok && len(ranged.GetRangeEnd()) > 0 {
			if n := int(m.count.Add(1)); m.hook != nil {
				m.hook(n)
			}
		}
		return invoke(ctx, method, request, reply, conn, options...)
	}
	m.Client = m.client(t, grpc.WithChainUnaryInterceptor(count))
	return m
}

func (m *member) client(t testing.TB, options ...grpc.DialOption) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + m.address}, DialTimeout: 5 * time.Second, Logger: zap.NewNop(), DialOptions: options})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func (m *member) start(t testing.TB) {
	t.Helper()
	config := embed.NewConfig()
	config.Dir, config.LogLevel, config.UnsafeNoFsync = m.dir, "fatal", true
	config.TickMs, config.ElectionMs = 10, 100
	anywhere := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config.ListenPeerUrls, config.AdvertisePeerUrls = anywhere, anywhere
	config.ListenClientUrls = []url.URL{{Scheme: "http", Host: m.address}}
	config.AdvertiseClientUrls = config.ListenClientUrls
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	server, err := embed.StartEtcd(config)
	if err != nil {
		t.Fatal(err)
	}
	m.server, m.address = server, server.Clients[0].Addr().String()
	select {
	case <-server.Server.ReadyNotify():
	case <-time.After(20 * time.Second):
		t.Fatal("etcd is not ready after 20s")
	}
}

func (m *member) stop() {
	if m.server != nil {
		m.server.Close()
		m.server = nil
	}
}

// put writes past the hook, and gives the revision.
func (m *member) put(t testing.TB, key string, value []byte) int64 {
	t.Helper()
	answer, err := m.Put(context.Background(), key, string(value))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Header.Revision
}

func (m *member) remove(t testing.TB, key string) {
	t.Helper()
	if _, err := m.Delete(context.Background(), key); err != nil {
		t.Fatal(err)
	}
}

func (m *member) compact(t testing.TB, revision int64) {
	t.Helper()
	if _, err := m.Compact(context.Background(), revision); err != nil {
		t.Error(err)
	}
}

// sides are a living cluster and what its snapshot was restored to. What is
// written to both has the same revisions in both.
type sides struct {
	live, restored *member
	// at is the snapshot's revision.
	at int64
}

func newSides(t testing.TB) *sides {
	t.Helper()
	s := &sides{live: newMember(t), restored: newMember(t)}
	s.put(t, "/registry/namespaces/kube-system", namespace("kube-system", "uid-of-the-cluster"))
	return s
}

func (s *sides) put(t testing.TB, key string, value []byte) {
	t.Helper()
	s.puts(t, key, value, key, value)
}

// puts writes to each side what is told, at the same revision.
func (s *sides) puts(t testing.TB, liveKey string, live []byte, restoredKey string, restored []byte) int64 {
	t.Helper()
	s.at = s.restored.put(t, restoredKey, restored)
	if at := s.live.put(t, liveKey, live); at != s.at {
		t.Fatalf("the living side is at revision %d, the restored one at %d", at, s.at)
	}
	return s.at
}

// beside is a key outside the prefix: a revision that says nothing.
const beside = "/beside"

func (s *sides) options(t testing.TB) Options {
	t.Helper()
	decoder, err := objects.NewDecoder("/registry", "")
	if err != nil {
		t.Fatal(err)
	}
	return Options{Restored: s.restored.Client, Live: s.live.Client, Decoder: decoder, Prefix: "/registry", Revision: s.at}
}

func stored(object runtime.Object) []byte {
	var out bytes.Buffer
	if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(object, &out); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func namespace(name, uid string) []byte {
	return stored(&corev1.Namespace{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(uid)},
	})
}

func configMap(name, color string) []byte {
	return stored(&corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Data:       map[string]string{"color": color},
	})
}

func secret(name, password string) []byte {
	return stored(&corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Data:       map[string][]byte{"password": []byte(password)},
	})
}

func event(name, message string) []byte {
	return stored(&corev1.Event{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Event"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Message:    message,
	})
}
