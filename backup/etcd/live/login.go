package live

import (
	"context"
	"errors"
	"sync"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// login adds a token to every call and gets one when there is none, or when
// etcd has forgotten the one there was: it does so after some minutes, and when
// users change.
type login struct {
	username, password string

	mu    sync.Mutex
	token string
}

func (l *login) unary(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, next grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if method == methodAuthenticate {
		return next(ctx, method, request, reply, conn, options...)
	}
	token, err := l.get(ctx, conn, "")
	if err != nil {
		return err
	}
	err = next(with(ctx, token), method, request, reply, conn, options...)
	if !forgotten(err) {
		return err
	}
	if token, err = l.get(ctx, conn, token); err != nil {
		return err
	}
	return next(with(ctx, token), method, request, reply, conn, options...)
}

// stream begins with a new token: that one was forgotten would only be told
// with the first message.
func (l *login) stream(ctx context.Context, stream *grpc.StreamDesc, conn *grpc.ClientConn, method string, next grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	l.mu.Lock()
	old := l.token
	l.mu.Unlock()
	token, err := l.get(ctx, conn, old)
	if err != nil {
		return nil, err
	}
	return next(with(ctx, token), stream, conn, method, options...)
}

// get gives a token other than the old one.
func (l *login) get(ctx context.Context, conn *grpc.ClientConn, old string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token != "" && l.token != old {
		return l.token, nil
	}
	answer, err := pb.NewAuthClient(conn).Authenticate(ctx, &pb.AuthenticateRequest{Name: l.username, Password: l.password})
	if errors.Is(rpctypes.Error(err), rpctypes.ErrAuthNotEnabled) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	l.token = answer.Token
	return l.token, nil
}

func with(ctx context.Context, token string) context.Context {
	if token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, rpctypes.TokenFieldNameGRPC, token)
}

func forgotten(err error) bool {
	err = rpctypes.Error(err)
	return errors.Is(err, rpctypes.ErrInvalidAuthToken) || errors.Is(err, rpctypes.ErrAuthOldRevision) || errors.Is(err, rpctypes.ErrUserEmpty)
}
