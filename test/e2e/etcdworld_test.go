package e2e

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes/scheme"

	"gameday.dev/gameday/test/cluster"
)

// member is a daemon of the suite's etcd.
func (s *scene) member(i int) *cluster.Daemon {
	s.Helper()
	d, err := s.provider.Cluster().Daemon(fmt.Sprintf("etcd-%d", i))
	s.must(err)
	return d
}

// alterMember edits the database of one member behind its back. An edit of
// that kind is taken back by its opposite.
func (s *scene) alterMember(i int, edit func(*bolt.Tx) error) {
	s.Helper()
	d := s.member(i)
	s.must(d.Stop(s.ctx))
	path := filepath.Join(s.provider.Cluster().Dir(), "etcd", d.Name, "member", "snap", "db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: 10 * time.Second, NoFreelistSync: true})
	s.must(err)
	edited := db.Update(edit)
	s.must(db.Close())
	s.must(d.Start(s.ctx))
	s.must(edited)
}

// agree waits until all members of the suite's etcd hold the same data.
func (s *scene) agree() {
	s.Helper()
	client := s.etcd()
	s.eventually("the members agree", func() (bool, string) {
		newest, err := client.Get(s.ctx, "any")
		if err != nil {
			return false, err.Error()
		}
		var sums []string
		same := true
		for _, endpoint := range client.Endpoints() {
			hash, err := client.HashKV(s.ctx, endpoint, newest.Header.Revision)
			if err != nil {
				return false, err.Error()
			}
			sums = append(sums, fmt.Sprintf("%08x after %d", hash.Hash, hash.CompactRevision))
			same = same && sums[0] == sums[len(sums)-1]
		}
		return same, fmt.Sprint(sums)
	})
}

// compact makes the suite's etcd forget its history, as an API server does
// every five minutes.
func (s *scene) compact(client *clientv3.Client) {
	s.Helper()
	now, err := client.Get(s.ctx, "any")
	s.must(err)
	_, err = client.Compact(s.ctx, now.Header.Revision, clientv3.WithCompactPhysical())
	s.must(err)
}

// streaming is a climb to match whose snapshot has begun to stream from the
// member that the wiretap is before, and goes no further until that lets go.
func (s *scene) streaming(flags ...string) (p *process, from *wiretap, member int) {
	s.Helper()
	return s.streamingOf(climbing(climb("etcd", "match", "")), flags...)
}

func (s *scene) streamingOf(d drill, flags ...string) (p *process, from *wiretap, member int) {
	s.Helper()
	taps, through := s.tapped()
	var holds []*hold
	for _, tap := range taps {
		holds = append(holds, tap.holdBack(callSnapshot, 100_000))
	}
	p = s.begin(d, append(s.ladder(through), flags...)...)
	member = -1
	s.eventually("the snapshot streams", func() (bool, string) {
		for i, hold := range holds {
			select {
			case <-hold.reached:
				member = i
				return true, ""
			default:
			}
		}
		return false, p.stderr.String()
	})
	for i, tap := range taps {
		if i != member {
			tap.forget()
		}
	}
	return p, taps[member], member
}

// unlock tells the next run at once that the killed one is dead, which it
// would else wait to see.
func (s *scene) unlock() {
	s.Helper()
	s.must(s.client.CoordinationV1().Leases("gameday").DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
}

// smallDisk is a file system of its own with this much room.
func (s *scene) smallDisk(size string) string {
	s.Helper()
	if os.Geteuid() != 0 {
		skip(s.T, "mounting a small disk needs root")
	}
	disk := filepath.Join(s.dir, "small")
	s.must(os.Mkdir(disk, 0o700))
	s.must(syscall.Mount("tmpfs", disk, "tmpfs", 0, "size="+size))
	s.Cleanup(func() { s.must(syscall.Unmount(disk, syscall.MNT_DETACH)) })
	return disk
}

// wantEmpty wants nothing in a directory but what the scene has filled its disk with.
func (s *scene) wantEmpty(directory string) {
	s.Helper()
	entries, err := os.ReadDir(directory)
	s.must(err)
	for _, entry := range entries {
		if entry.Name() != ".full" {
			s.Errorf("%s is left in %s", entry.Name(), directory)
		}
	}
}

// strangersSnapshot is one of an etcd that holds a Kubernetes cluster too, but
// not this one.
func (s *scene) strangersSnapshot() string {
	s.Helper()
	config := embed.NewConfig()
	config.Dir = filepath.Join(s.dir, "stranger")
	config.Name = "stranger"
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.LogLevel = "error"
	config.LogOutputs = []string{filepath.Join(s.dir, "stranger.log")}
	config.UnsafeNoFsync = true
	anywhere := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config.ListenClientUrls, config.ListenPeerUrls = anywhere, anywhere
	server, err := embed.StartEtcd(config)
	s.must(err)
	defer server.Close()
	select {
	case <-server.Server.ReadyNotify():
	case <-time.After(time.Minute):
		s.Fatal("the stranger's etcd does not serve")
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + server.Clients[0].Addr().String()}, Logger: zap.NewNop()})
	s.must(err)
	defer client.Close()
	for _, name := range []string{"default", "kube-system", "shop"} {
		_, err := client.Put(s.ctx, "/registry/namespaces/"+name, s.inEtcd(&corev1.Namespace{
			ObjectMeta: metav1.ObjectMeta{Name: name, UID: uuid.NewUUID(), CreationTimestamp: metav1.Now()},
		}))
		s.must(err)
	}
	return s.snapshot(client, "stranger.db")
}

// output runs a program of somebody else's, which must succeed.
func (s *scene) output(dir, program string, args ...string) string {
	s.Helper()
	command := exec.CommandContext(s.ctx, program, args...)
	command.Dir = dir
	out, err := command.CombinedOutput()
	if err != nil {
		s.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

// inEtcd is an object of a built-in type as the API server stores it.
func (s *scene) inEtcd(object runtime.Object) string {
	s.Helper()
	info, ok := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	if !ok {
		s.Fatal("there is no protobuf serializer")
	}
	kinds, _, err := scheme.Scheme.ObjectKinds(object)
	s.must(err)
	data, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, kinds[0].GroupVersion()), object)
	s.must(err)
	return string(data)
}
