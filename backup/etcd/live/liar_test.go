package live

import (
	"bytes"
	"crypto/sha256"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
)

// liar is a member that ends its stream well, whatever it has sent: a real one
// only does so with all of it.
type liar struct {
	pb.UnimplementedMaintenanceServer
	data []byte
}

func (l *liar) Snapshot(_ *pb.SnapshotRequest, stream pb.Maintenance_SnapshotServer) error {
	for data := l.data; len(data) > 0; {
		n := min(len(data), 32<<10)
		if err := stream.Send(&pb.SnapshotResponse{Header: &pb.ResponseHeader{Revision: 7}, RemainingBytes: uint64(len(data) - n), Blob: data[:n], Version: "3.6.0"}); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

func TestStreamThatLies(t *testing.T) {
	r := start(t, 1, false)
	r.fill(2)
	c := r.connect()
	real, err := c.Save(t.Context(), c.Members(t.Context()), target(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(real.Path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(sound)
	flipped[len(flipped)/3] ^= 4
	other := sha256.Sum256([]byte("other"))
	lies := map[string][]byte{
		"nothing":             nil,
		"half":                sound[:len(sound)/2],
		"whole pages":         sound[:len(sound)/4096*4096/2],
		"all but the trailer": sound[:len(sound)-sha256.Size],
		"a byte missing":      sound[:len(sound)-1],
		"a byte more":         append(bytes.Clone(sound), 0),
		"flipped":             flipped,
		"another trailer":     append(bytes.Clone(sound[:len(sound)-sha256.Size]), other[:]...),
		"the trailer alone":   sound[len(sound)-sha256.Size:],
	}
	for name, data := range lies {
		lying := serve(t, data)
		path := target(t)
		if taken, err := c.Save(t.Context(), []Member{{Endpoint: lying}}, path, nil); err == nil || !strings.Contains(err.Error(), "cut short or damaged") {
			t.Errorf("%s: %+v, %v", name, taken, err)
		}
		if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) > 0 {
			t.Errorf("%s: %v is left (%v)", name, entries, err)
		}
		// And another member makes up for it.
		honest := Member{Endpoint: r.at.Endpoints[0], Leader: true}
		taken, err := c.Save(t.Context(), []Member{{Endpoint: lying}, honest}, path, nil)
		if err != nil || taken.Member != honest.Endpoint || len(taken.Attempts) != 1 {
			t.Errorf("%s: %+v, %v", name, taken, err)
		}
	}
	taken, err := c.Save(t.Context(), []Member{{Endpoint: serve(t, sound)}}, target(t), nil)
	if err != nil || taken.SHA256 != real.SHA256 {
		t.Errorf("the same bytes: %+v, %v", taken, err)
	}
}

func serve(t *testing.T, data []byte) (endpoint string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterMaintenanceServer(server, &liar{data: data})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return "http://" + listener.Addr().String()
}

func FuzzBlob(f *testing.F) {
	whole, err := (&pb.SnapshotResponse{Header: &pb.ResponseHeader{Revision: 7}, RemainingBytes: 1 << 40, Blob: []byte("blob"), Version: "3.6.0"}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:5])
	f.Fuzz(func(t *testing.T, message []byte) {
		blob, err := blobOf(message)
		var want pb.SnapshotResponse
		if want.Unmarshal(message) != nil {
			return
		}
		// What etcd's own type reads is read the same; it knows older wire
		// types and repeated fields besides.
		if err == nil && !bytes.Equal(blob, want.Blob) {
			t.Errorf("%x is read as %x, by etcd as %x", message, blob, want.Blob)
		}
	})
}
