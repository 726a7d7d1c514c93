// Command demo shows what gameday is for: a real local cluster with a sample
// application and monitoring, and three runs against it. It succeeds only when
// each run ends as it must, the one that must fail included.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/test/cluster"
)

// act is one run of the demo.
type act struct {
	title    string
	scenario string
	// wantExit is the exit code that proves the point.
	wantExit int
	// budget is the minAvailable of the shop's PodDisruptionBudget for this act.
	budget int
}

func acts() []act {
	return []act{
		{"a pod crashes: nobody notices, the pager rings", "pod-kill", 0, 2},
		{"a budget without room holds a drain back, which is the passing outcome", "node-drain-blocked", 0, 3},
		{"the only replica of a workload is killed: this must FAIL", "worker-kill", 1, 2},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := demo(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1) //nolint:gocritic // stop only restores the signals of a process that ends here
	}
}

func demo(ctx context.Context) (err error) {
	local, err := cluster.Up(ctx, cluster.Options{Name: "demo", Monitoring: true, Shop: true, Progress: os.Stderr})
	if err != nil {
		return fmt.Errorf("bringing the cluster up: %w", err)
	}
	if os.Getenv("KEEP") == "" {
		defer func() {
			err = errors.Join(err, cluster.Down(context.WithoutCancel(ctx), "demo", os.Stderr))
		}()
	}
	if err := local.WaitQuiet(ctx); err != nil {
		return err
	}
	var lines []string
	wrong := 0
	for i, act := range acts() {
		fmt.Printf("\n=== %d. %s\n", i+1, act.title)
		if err := setBudget(ctx, local, act.budget); err != nil {
			return err
		}
		began := time.Now()
		code, err := play(ctx, act, local)
		if err != nil {
			return err
		}
		verdict := "as it must be"
		if code != act.wantExit {
			verdict = fmt.Sprintf("WRONG, it must be %d", act.wantExit)
			wrong++
		}
		lines = append(lines, fmt.Sprintf("  %-20s exit code %d, %s (%s)", act.scenario, code, verdict, time.Since(began).Round(time.Second)))
	}
	fmt.Println("\nThe three runs:")
	for _, line := range lines {
		fmt.Println(line)
	}
	fmt.Println("\nTheir records are in gameday-runs/; look at one again with: bin/gameday report gameday-runs/NAME")
	if os.Getenv("KEEP") != "" {
		fmt.Printf("The cluster is kept: export KUBECONFIG=%s GAMEDAY_ENVIRONMENT=%s; take it down with: make cluster-down NAME=demo\n",
			local.Kubeconfig(), local.Environment())
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d runs did not end as they must", wrong, len(acts()))
	}
	return nil
}

// play runs one scenario as a person would, and returns the exit code.
func play(ctx context.Context, act act, local *cluster.Cluster) (int, error) {
	scenario := filepath.Join("scenarios", "library", act.scenario+".yaml")
	command := exec.CommandContext(ctx, filepath.Join("bin", "gameday"), "run", scenario,
		"--environment", local.Environment(), "--yes")
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	// An interrupt must reach gameday as one, so that it undoes.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = time.Minute
	fmt.Println("$", command)
	err := command.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return 0, fmt.Errorf("running gameday: %w", err)
	}
	return command.ProcessState.ExitCode(), ctx.Err()
}

// setBudget is the mistake, or its mending, that an act is about.
func setBudget(ctx context.Context, local *cluster.Cluster, minAvailable int) error {
	client, err := local.Client()
	if err != nil {
		return err
	}
	patch := fmt.Sprintf(`{"spec":{"minAvailable":%d}}`, minAvailable)
	_, err = client.PolicyV1().PodDisruptionBudgets("shop").Patch(ctx, "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("setting the budget of shop/web to %d: %w", minAvailable, err)
	}
	return nil
}
