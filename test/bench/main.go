// Command bench measures the figures that the documentation gives, against the
// tools that it names, and prints what it found. It prepares all that it needs.
//
// All of it takes about half an hour, most of which kubectl drain spends.
//
// A figure is no test: one that misses its target is marked as such, and the
// exit code stays 0. It is 1 when something could not be measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// subject is one thing to measure, which gives one figure or several.
type subject struct {
	name string
	// times is how often it is measured unless -n says otherwise.
	times int
	// onDemand subjects are measured only when named with -only.
	onDemand bool
	measure  func(ctx context.Context, b *bench, times int) ([]figure, error)
}

func subjects() []subject {
	return []subject{
		{name: "validate", times: 20, measure: measureValidate},
		{name: "drain", times: 3, measure: measureDrain},
		{name: "outage", times: 1, measure: measureOutage},
		{name: "memory", times: 1, measure: measureMemory},
		{name: "etcd-snapshot", times: 5, measure: measureEtcdSnapshot},
		{name: "etcd-restore", times: 3, measure: measureEtcdRestore},
		{name: "etcd-match", times: 3, measure: measureEtcdMatch},
		{name: "etcd-apiserver", times: 1, measure: measureEtcdAPIServer},
		{name: "objects", times: 3, measure: measureObjects},
		{name: "objects-diff", times: 3, measure: measureObjectsDiff},
		{name: "drain-at-once", times: 1, onDemand: true, measure: measureDrainAtOnce},
		{name: "demo", times: 1, onDemand: true, measure: measureDemo},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // stop only restores the signals of a process that ends here
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 2 && args[0] == walkCommand {
		return runErrand(ctx, args[1])
	}
	if len(args) == 2 && args[0] == compareCommand {
		return runComparison(ctx, args[1])
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", "", "measure only these, separated by commas: "+strings.Join(names(), ", "))
	times := flags.Int("n", 0, "how often each is measured (default: each has its own number)")
	output := flags.String("o", "", "also write the figures as JSON to this file")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	b, err := newBench(ctx)
	if err != nil {
		return err
	}
	defer b.close()

	var all results
	var failed error
	for _, s := range chosen {
		n := s.times
		if *times > 0 {
			n = *times
		}
		load := loadAverage()
		figures, err := s.measure(ctx, b, n)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("measuring %s: %w", s.name, err))
		}
		all.add(s.name, load, figures)
	}
	all.print(os.Stdout)
	if *output != "" {
		failed = errors.Join(failed, all.write(*output))
	}
	return failed
}

func names() []string {
	var names []string
	for _, s := range subjects() {
		names = append(names, s.name)
	}
	return names
}

func choose(only string) ([]subject, error) {
	wanted := strings.FieldsFunc(only, func(r rune) bool { return r == ',' })
	for _, name := range wanted {
		if !slices.Contains(names(), name) {
			return nil, fmt.Errorf("-only: there is no %q, only %s", name, strings.Join(names(), ", "))
		}
	}
	return slices.DeleteFunc(subjects(), func(s subject) bool {
		if len(wanted) == 0 {
			return s.onDemand
		}
		return !slices.Contains(wanted, s.name)
	}), nil
}
