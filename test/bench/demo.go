package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"gameday.dev/gameday/test/cluster"
)

// measureDemo times `make demo` as a person meets it the second time: what is
// built once is there, and the cluster is not.
func measureDemo(ctx context.Context, b *bench, times int) ([]figure, error) {
	if _, err := cluster.Build(ctx, cluster.Options{Monitoring: true, Shop: true, Progress: os.Stderr}); err != nil {
		return nil, err
	}
	var samples []float64
	for range times {
		command := exec.CommandContext(ctx, "make", "demo")
		command.Dir = b.root
		command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
		command.WaitDelay = time.Minute
		began := time.Now()
		if output, err := command.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("make demo: %w\n%s", err, output)
		}
		samples = append(samples, time.Since(began).Minutes())
	}
	return []figure{median("make demo, warm", "min", 3, samples)}, nil
}
