package scratch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
)

// taken is a real snapshot and what it must be found to hold.
type taken struct {
	data      []byte
	revision  int64
	compacted int64
	member    uint64
}

func (s taken) clone() []byte { return bytes.Clone(s.data) }

// seal makes the trailer fit again after a change.
func seal(data []byte) []byte {
	body := data[:len(data)-sha256.Size]
	sum := sha256.Sum256(body)
	copy(data[len(body):], sum[:])
	return data
}

// runEtcd runs an etcd of this process.
func runEtcd(dir string, work func(*clientv3.Client, *embed.Etcd) error) error {
	config := embed.NewConfig()
	local := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config.Name, config.Dir = "source", dir
	config.ListenClientUrls, config.AdvertiseClientUrls, config.ListenPeerUrls, config.AdvertisePeerUrls = local, local, local, local
	config.InitialCluster = config.InitialClusterFromName("source")
	config.UnsafeNoFsync = true
	config.TickMs, config.ElectionMs = 10, 100
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	defer etcd.Close()
	<-etcd.Server.ReadyNotify()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + etcd.Clients[0].Addr().String()}, Logger: zap.NewNop()})
	if err != nil {
		return err
	}
	defer client.Close()
	return work(client, etcd)
}

// fill writes as Kubernetes does: objects, changes, deletions, a compaction.
func fill(ctx context.Context, client *clientv3.Client, objects int) error {
	random := rand.New(rand.NewPCG(1, 2))
	kinds := []string{"pods", "configmaps", "secrets", "deployments", "leases"}
	var changes []clientv3.Op
	for i := range objects {
		key := fmt.Sprintf("/registry/%s/ns-%02d/name-%06d", kinds[i%len(kinds)], i%7, i)
		value := make([]byte, 50+random.IntN(400))
		if i%500 == 0 {
			value = make([]byte, 20_000) // more than a page
		}
		for j := range value {
			value[j] = byte(random.Uint32())
		}
		changes = append(changes, clientv3.OpPut(key, "k8s\x00"+string(value)))
		if i%9 == 0 && i > 300 { // of an earlier transaction
			changes = append(changes, clientv3.OpDelete(fmt.Sprintf("/registry/%s/ns-%02d/name-%06d", kinds[(i/2)%len(kinds)], (i/2)%7, i/2)))
		}
		if len(changes) > 100 || i == objects-1 {
			if _, err := client.Txn(ctx).Then(changes...).Commit(); err != nil {
				return err
			}
			changes = nil
		}
	}
	for i := range 20 { // changes with a revision each
		if _, err := client.Put(ctx, "/registry/leases/kube-node-lease/node-1", fmt.Sprint("k8s\x00 renewed ", i)); err != nil {
			return err
		}
	}
	return nil
}

func take(ctx context.Context, client *clientv3.Client) ([]byte, error) {
	stream, err := client.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	return io.ReadAll(stream)
}

// source is made once: thousands of keys, compacted, one member.
var source = sync.OnceValues(func() (taken, error) {
	dir, err := os.MkdirTemp("", "scratch-source-")
	if err != nil {
		return taken{}, err
	}
	defer os.RemoveAll(dir)
	var s taken
	err = runEtcd(dir, func(client *clientv3.Client, etcd *embed.Etcd) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := fill(ctx, client, 6000); err != nil {
			return err
		}
		s.member = uint64(etcd.Server.MemberID())
		s.compacted = 30
		if _, err := client.Compact(ctx, s.compacted, clientv3.WithCompactPhysical()); err != nil {
			return err
		}
		answer, err := client.Get(ctx, "/", clientv3.WithPrefix(), clientv3.WithCountOnly())
		if err != nil {
			return err
		}
		s.revision = answer.Header.Revision
		s.data, err = take(ctx, client)
		return err
	})
	return s, err
})

func snapshotOf(t *testing.T) taken {
	t.Helper()
	s, err := source()
	if err != nil {
		t.Fatalf("making a snapshot: %v", err)
	}
	return s
}
