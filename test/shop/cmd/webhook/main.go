// Command webhook receives Alertmanager's notifications and keeps each with the moment it arrived, so that tests
// know what was delivered and when. It judges nothing.
//
//	webhook -listen 127.0.0.1:9099 -out notifications.jsonl
//
// POST / is the webhook; GET /received is a JSON array of everything in the file, oldest first.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"gameday.dev/gameday/test/shop/internal/jsonl"
)

func main() {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	if err := run(stop, os.Args[1:], os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "webhook:", err)
		os.Exit(1)
	}
}

func run(stop context.Context, args []string, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("webhook", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:9099", "`address` to listen on")
	out := flags.String("out", "notifications.jsonl", "`file` to append notifications to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	file, err := jsonl.Open(*out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	// With port 0 this line is the only way to learn the port.
	fmt.Fprintf(stderr, "listening on %s\n", l.Addr())

	srv := &http.Server{Handler: newReceiver(file), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("serving on %s: %w", l.Addr(), err)
	case <-stop.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(stop), 2*time.Second)
	defer cancel()
	return srv.Shutdown(ctx)
}
