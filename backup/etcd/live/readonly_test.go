package live

import (
	"context"
	"slices"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
)

// Of all that etcd's services can do, this may be called and nothing else.
func TestRefusedOfAllMethods(t *testing.T) {
	server := grpc.NewServer()
	pb.RegisterKVServer(server, nil)
	pb.RegisterWatchServer(server, nil)
	pb.RegisterLeaseServer(server, nil)
	pb.RegisterClusterServer(server, nil)
	pb.RegisterMaintenanceServer(server, nil)
	pb.RegisterAuthServer(server, nil)
	var allowed []string
	all := 0
	for service, info := range server.GetServiceInfo() {
		for _, method := range info.Methods {
			all++
			if refuse("/"+service+"/"+method.Name) == nil {
				allowed = append(allowed, method.Name)
			}
		}
	}
	slices.Sort(allowed)
	if got, want := strings.Join(allowed, " "), "Authenticate HashKV MemberList Range Snapshot Status"; got != want {
		t.Errorf("allowed are %s, want %s", got, want)
	}
	if all < 35 {
		t.Errorf("etcd has %d methods: the test proves nothing", all)
	}
}

// Nothing that could change the cluster leaves the client, on any of its connections.
func TestNothingIsWritten(t *testing.T) {
	r := start(t, 1, true)
	c := r.connect()
	ctx := t.Context()
	before := c.Members(ctx)[0]
	conn, err := c.Client.Dial(before.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := c.Client
	attempts := map[string]func(context.Context) error{
		"put":    func(ctx context.Context) error { _, err := client.Put(ctx, "/a", "b"); return err },
		"delete": func(ctx context.Context) error { _, err := client.Delete(ctx, "/a"); return err },
		"txn": func(ctx context.Context) error {
			_, err := client.Txn(ctx).Then(clientv3.OpPut("/a", "b")).Commit()
			return err
		},
		"compact":     func(ctx context.Context) error { _, err := client.Compact(ctx, 1); return err },
		"lease":       func(ctx context.Context) error { _, err := client.Grant(ctx, 60); return err },
		"revoke":      func(ctx context.Context) error { _, err := client.Revoke(ctx, 1); return err },
		"keep alive":  func(ctx context.Context) error { _, err := client.KeepAliveOnce(ctx, 1); return err },
		"defragment":  func(ctx context.Context) error { _, err := client.Defragment(ctx, before.Endpoint); return err },
		"move leader": func(ctx context.Context) error { _, err := client.MoveLeader(ctx, before.ID); return err },
		"alarm list":  func(ctx context.Context) error { _, err := client.AlarmList(ctx); return err },
		"alarm disarm": func(ctx context.Context) error {
			_, err := client.AlarmDisarm(ctx, &clientv3.AlarmMember{})
			return err
		},
		"member add": func(ctx context.Context) error {
			_, err := client.MemberAdd(ctx, []string{"http://127.0.0.1:1"})
			return err
		},
		"member remove":  func(ctx context.Context) error { _, err := client.MemberRemove(ctx, before.ID); return err },
		"member promote": func(ctx context.Context) error { _, err := client.MemberPromote(ctx, before.ID); return err },
		"auth enable":    func(ctx context.Context) error { _, err := client.AuthEnable(ctx); return err },
		"user add":       func(ctx context.Context) error { _, err := client.UserAdd(ctx, "a", "b"); return err },
		"downgrade": func(ctx context.Context) error {
			_, err := client.Downgrade(ctx, clientv3.DowngradeEnable, "3.5")
			return err
		},
		"alarm, on a connection of its own": func(ctx context.Context) error {
			_, err := pb.NewMaintenanceClient(conn).Alarm(ctx, &pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, MemberID: before.ID, Alarm: pb.AlarmType_NOSPACE})
			return err
		},
		"put, on a connection of its own": func(ctx context.Context) error {
			_, err := pb.NewKVClient(conn).Put(ctx, &pb.PutRequest{Key: []byte("/a")})
			return err
		},
		"keep alive stream": func(ctx context.Context) error {
			_, err := pb.NewLeaseClient(conn).LeaseKeepAlive(ctx)
			return err
		},
	}
	for name, attempt := range attempts {
		ctx, cancel := context.WithTimeout(ctx, answerWithin)
		if err := attempt(ctx); err == nil || !strings.Contains(err.Error(), "the living etcd is only read") {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	after := c.Members(ctx)[0]
	if after.Revision != before.Revision || after.Applied != before.Applied || len(after.Alarms) > 0 {
		t.Errorf("it has moved on from %+v to %+v", before, after)
	}
	if answer, err := client.Get(ctx, "/", clientv3.WithPrefix()); err != nil || answer.Count != 0 {
		t.Errorf("reading: %v, %v", answer, err)
	}
}
