package live

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
)

// readOnly makes every connection of a client unable to change the cluster:
// what is not on the list never reaches the network, whatever the code above
// intends. It is a list of what may, so that a call which etcd will have one
// day is refused too.
func readOnly() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, next grpc.UnaryInvoker, options ...grpc.CallOption) error {
			if err := refuse(method); err != nil {
				return err
			}
			return next(ctx, method, request, reply, conn, options...)
		}),
		grpc.WithChainStreamInterceptor(func(ctx context.Context, stream *grpc.StreamDesc, conn *grpc.ClientConn, method string, next grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
			if err := refuse(method); err != nil {
				return nil, err
			}
			return next(ctx, stream, conn, method, options...)
		}),
	}
}

// The calls that change nothing. Alarm is not among them, not even to list: it
// goes through raft, and so into the log of every member; Status tells of alarms
// as well. Authenticate does the same, but there is no other way in.
const (
	methodAuthenticate = "/etcdserverpb.Auth/Authenticate"
	methodMemberList   = "/etcdserverpb.Cluster/MemberList"
	methodRange        = "/etcdserverpb.KV/Range"
	methodHashKV       = "/etcdserverpb.Maintenance/HashKV"
	methodSnapshot     = "/etcdserverpb.Maintenance/Snapshot"
	methodStatus       = "/etcdserverpb.Maintenance/Status"
)

func refuse(method string) error {
	switch method {
	case methodAuthenticate, methodMemberList, methodRange, methodHashKV, methodSnapshot, methodStatus:
		return nil
	default:
		return fmt.Errorf("refusing %s: the living etcd is only read", method)
	}
}
