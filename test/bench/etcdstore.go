package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes/scheme"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/test/cluster"
)

const (
	// storedObjects is how many are in the store, of about a kilobyte each, so that
	// its database is a good gibibyte.
	storedObjects = 1_000_000
	// objectPadding brings an object to its size.
	objectPadding = 600
	// putsAtOnce is how many objects one transaction writes; etcd takes 128.
	putsAtOnce = 100
)

// etcdStore is an etcd of one member with TLS that holds a large cluster's
// worth of Kubernetes objects, without a Kubernetes: nobody else is at it.
type etcdStore struct {
	at       experiments.Etcd
	programs map[string]string // etcd, etcdctl, etcdutl
	size     int64             // of the database
	process  *exec.Cmd
	// snapshot is one of it, taken by etcdctl.
	snapshot string
}

// store starts and fills the store when the first subject asks for it; all
// subjects share it.
func (b *bench) etcdStore(ctx context.Context) (*etcdStore, error) {
	if b.filled != nil {
		return b.filled, nil
	}
	programs, err := cluster.Build(ctx, cluster.Options{Progress: os.Stderr}, "etcd", "etcdctl", "etcdutl")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.dir, "store")
	server, endpoint, err := startEtcd(ctx, programs["etcd"], "https", "--data-dir", dir, "--auto-tls", "--unsafe-no-fsync")
	if err != nil {
		return nil, err
	}
	s := &etcdStore{
		at:       experiments.Etcd{Endpoints: []string{endpoint}, CAFile: filepath.Join(dir, "fixtures", "client", "cert.pem"), Prefix: "/registry"},
		programs: programs, process: server, snapshot: filepath.Join(b.dir, "store.db"),
	}
	b.filled = s
	began := time.Now()
	if err := s.fill(ctx); err != nil {
		return nil, fmt.Errorf("filling etcd: %w", err)
	}
	progress("%d objects, %.2f GiB, in etcd after %s", storedObjects, float64(s.size)/(1<<30), time.Since(began).Round(time.Second))
	return s, s.etcdctlSave(ctx, s.snapshot)
}

func (s *etcdStore) stop() {
	if s != nil {
		endProcess(s.process)
	}
}

// startEtcd starts a member on free ports of loopback; it serves when this returns.
func startEtcd(ctx context.Context, program, protocol string, args ...string) (*exec.Cmd, string, error) {
	client, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	peer, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	url, peerURL := protocol+"://"+client, "http://"+peer
	args = append(args, "--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", peerURL,
		"--initial-advertise-peer-urls", peerURL, "--initial-cluster", "default="+peerURL,
		"--quota-backend-bytes", "8589934592", "--log-level", "error")
	command := exec.Command(program, args...)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Start(); err != nil {
		return nil, "", fmt.Errorf("starting etcd: %w", err)
	}
	for patience := time.Now().Add(2 * time.Minute); time.Now().Before(patience) && ctx.Err() == nil; {
		if conn, err := net.Dial("tcp", client); err == nil {
			return command, url, conn.Close()
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	endProcess(command)
	return nil, "", errors.Join(fmt.Errorf("etcd does not serve at %s", url), ctx.Err())
}

func endProcess(command *exec.Cmd) {
	_ = command.Process.Kill()
	_ = command.Wait() // it was killed
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

func (s *etcdStore) client() (*clientv3.Client, error) {
	return newEtcdClient(s.at.Endpoints[0], s.at.CAFile)
}

// fill writes all objects, several transactions at once.
func (s *etcdStore) fill(ctx context.Context) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	defer client.Close()
	encode, err := newEncoder()
	if err != nil {
		return err
	}
	for _, name := range []string{"default", "kube-system"} {
		key, value, err := encode(&corev1.Namespace{ObjectMeta: metaOf("", name)})
		if err != nil {
			return err
		}
		if _, err := client.Put(ctx, key, value); err != nil {
			return err
		}
	}
	group, filling := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for first := 0; first < storedObjects && filling.Err() == nil; first += putsAtOnce {
		group.Go(func() error {
			puts := make([]clientv3.Op, 0, putsAtOnce)
			for i := first; i < first+putsAtOnce; i++ {
				key, value, err := encode(storedObject(i))
				if err != nil {
					return err
				}
				puts = append(puts, clientv3.OpPut(key, value))
			}
			_, err := client.Txn(filling).Then(puts...).Commit()
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	status, err := client.Status(ctx, s.at.Endpoints[0])
	if err != nil {
		return err
	}
	s.size = status.DbSize
	return nil
}

// storedObject is object i of the store: two ConfigMaps of three, and a Pod.
func storedObject(i int) runtime.Object {
	meta := metaOf(fmt.Sprintf("team-%03d", i%500), fmt.Sprintf("object-%07d", i))
	text := strings.Repeat(fmt.Sprintf("%08x ", i*2654435761), objectPadding/9)
	if i%3 < 2 {
		return &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"settings.conf": text}}
	}
	return &corev1.Pod{
		ObjectMeta: meta,
		Spec: corev1.PodSpec{
			NodeName:   fmt.Sprintf("node-%03d", i%200),
			Containers: []corev1.Container{{Name: "main", Image: "registry.example/app:v1", Env: []corev1.EnvVar{{Name: "SETTINGS", Value: text[:objectPadding/2]}}}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1", Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
}

func metaOf(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: uuid.NewUUID(), CreationTimestamp: metav1.Now(),
		Labels: map[string]string{"app.kubernetes.io/name": "app", "app.kubernetes.io/part-of": "bench"},
	}
}

// newEncoder gives what encodes an object as the API server stores it, with its key.
func newEncoder() (func(runtime.Object) (key, value string, err error), error) {
	info, ok := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	if !ok {
		return nil, errors.New("client-go has no protobuf serializer")
	}
	codec := scheme.Codecs.EncoderForVersion(info.Serializer, corev1.SchemeGroupVersion)
	return func(object runtime.Object) (string, string, error) {
		meta := object.(metav1.Object)
		resource := map[bool]string{true: "configmaps", false: "pods"}
		_, isMap := object.(*corev1.ConfigMap)
		key := "/registry/" + resource[isMap] + "/" + meta.GetNamespace() + "/" + meta.GetName()
		if _, isNamespace := object.(*corev1.Namespace); isNamespace {
			key = "/registry/namespaces/" + meta.GetName()
		}
		value, err := runtime.Encode(codec, object)
		return key, string(value), err
	}, nil
}
