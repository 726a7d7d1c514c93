package nodeinit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"
)

// A Client talks to the process 1 that listens on a socket.
type Client struct{ Socket string }

// StartDaemon starts a daemon in the node.
func (c Client) StartDaemon(ctx context.Context, s Start) error {
	_, err := c.do(ctx, Request{Start: &s})
	return err
}

// SignalDaemon sends a signal to a daemon in the node.
func (c Client) SignalDaemon(ctx context.Context, name string, number int) error {
	_, err := c.do(ctx, Request{Signal: &Signal{Name: name, Number: number}})
	return err
}

// Daemons is what the node has started so far.
func (c Client) Daemons(ctx context.Context) (map[string]Daemon, error) {
	response, err := c.do(ctx, Request{Status: true})
	return response.Daemons, err
}

func (c Client) do(ctx context.Context, request Request) (Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", c.Socket)
	if err != nil {
		return Response{}, fmt.Errorf("asking the node: %w", err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return Response{}, fmt.Errorf("asking the node: %w", err)
	}
	var response Response
	if err := json.NewDecoder(conn).Decode(&response); err != nil {
		return Response{}, fmt.Errorf("reading the node's answer: %w", err)
	}
	if response.Error != "" {
		return response, errors.New(response.Error)
	}
	return response, nil
}
