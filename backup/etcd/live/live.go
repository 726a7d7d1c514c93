// Package live speaks to the etcd of the living cluster. It only ever reads:
// its clients refuse every call that could change anything, whoever makes it.
package live

import (
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"gameday.dev/gameday/experiments"
)

const (
	// answerWithin bounds a question that a healthy member answers at once.
	answerWithin = 5 * time.Second
	// pingAfter and pongWithin find a connection whose other end has gone
	// silent. Servers refuse pings more often than every 5 seconds.
	pingAfter  = 10 * time.Second
	pongWithin = 5 * time.Second
	// largestMessage is far above etcd's largest answer to one page of a walk.
	largestMessage = 512 << 20
)

// Cluster is a connection to the members of an etcd cluster.
type Cluster struct {
	// Client asks any member that answers.
	Client    *clientv3.Client
	endpoints []string
	// stalled is how long a stream may be silent.
	stalled time.Duration
}

// Connect connects with TLS and authentication as told. It fails only on what
// is wrong on this side: files, URLs.
func Connect(at experiments.Etcd) (*Cluster, error) {
	endpoints, err := parseEndpoints(at.Endpoints)
	if err != nil {
		return nil, fmt.Errorf("connecting to etcd: %w", err)
	}
	secure, err := loadTLS(at, time.Now())
	if err != nil {
		return nil, fmt.Errorf("connecting to etcd: %w", err)
	}
	const window = 8 << 20 // a page of values is some MB: it should come in one go
	options := append(readOnly(),
		grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window), grpc.WithReadBufferSize(256<<10))
	if at.Username != "" {
		password, err := readPassword(at.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("connecting to etcd: %w", err)
		}
		// The client's own way would ask for a token here and wait for ever when
		// no member answers.
		login := &login{username: at.Username, password: password}
		options = append(options, grpc.WithChainUnaryInterceptor(login.unary), grpc.WithChainStreamInterceptor(login.stream))
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints: endpoints, TLS: secure, DialOptions: options, Logger: zap.NewNop(),
		DialKeepAliveTime: pingAfter, DialKeepAliveTimeout: pongWithin, MaxCallRecvMsgSize: largestMessage,
	})
	if err != nil {
		return nil, fmt.Errorf("connecting to etcd: %w", err)
	}
	return &Cluster{Client: client, endpoints: endpoints, stalled: stallAfter}, nil
}

// Close ends the connection.
func (c *Cluster) Close() { _ = c.Client.Close() }
