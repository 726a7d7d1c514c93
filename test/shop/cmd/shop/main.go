// Command shop is the sample application that gameday is shown and tested on, in one binary with three roles:
//
//	shop web      answers requests
//	shop worker   processes orders
//	shop store    keeps an append-only file
//
// Every role serves /healthz, /readyz, /metrics and POST /admin/ready on one port. It trusts whoever reaches it:
// it is a target for faults, not an example of a safe service.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	err := run(context.Background(), os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stderr io.Writer) (err error) {
	role := ""
	if len(args) > 0 {
		role, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("shop "+role, flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", ":8080", "`address` to listen on")
	warmup := flags.Duration("warmup", 0, "how long after the start to stay not ready, as services that load caches do")
	drain := flags.Duration("drain", 2*time.Second, "how long to go on answering, not ready, after SIGTERM")
	ignoreTerm := flags.Bool("ignore-term", false, "ignore SIGTERM, as a hung process does: only SIGKILL ends it")
	every := flags.Duration("every", 100*time.Millisecond, "worker: how often an order comes in")
	data := flags.String("data", "/data", "store: `directory` of the file")
	if err := flags.Parse(args); err != nil {
		return err
	}

	signals := []os.Signal{os.Interrupt}
	if *ignoreTerm {
		signal.Ignore(syscall.SIGTERM)
	} else {
		signals = append(signals, syscall.SIGTERM)
	}
	stop, cancel := signal.NotifyContext(ctx, signals...)
	defer cancel()

	a := newApp(role)
	a.ready.warmUp(*warmup)
	switch role {
	case "web":
		addWeb(a)
	case "worker":
		if *every <= 0 {
			return fmt.Errorf("flag -every is %v, must be more than 0", *every)
		}
		addWorker(stop, a, *every)
	case "store":
		s, err := addStore(a, *data)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.close()) }()
	default:
		return fmt.Errorf("unknown role %q: must be web, worker or store", role)
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%s listening on %s\n", role, l.Addr())
	return serve(stop, l, a, *drain)
}
