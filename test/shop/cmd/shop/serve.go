package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// inFlight is how long requests that began before the end may still take.
const inFlight = 2 * time.Second

// serve answers until stop is done, then goes not-ready, goes on answering for the time of draining (that is how
// long the news takes to reach every node), finishes what is in flight and returns.
func serve(stop context.Context, l net.Listener, a *app, drain time.Duration) error {
	srv := &http.Server{Handler: a, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("serving on %s: %w", l.Addr(), err)
	case <-stop.Done():
	}

	a.ready.drain()
	select {
	case err := <-served:
		return fmt.Errorf("serving on %s while draining: %w", l.Addr(), err)
	case <-time.After(drain):
	}

	ctx, cancel := context.WithTimeout(context.WithoutCancel(stop), inFlight)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		return fmt.Errorf("finishing requests on %s: %w", l.Addr(), err)
	}
	return nil
}
