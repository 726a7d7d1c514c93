package e2e

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/e2e-framework/pkg/env"
	"sigs.k8s.io/e2e-framework/pkg/envconf"

	"gameday.dev/gameday/test/cluster"
)

// suite is the e2e-framework's environment of all tests; theWorld is what its
// setup has found. Both are set before the first test begins.
var (
	suite    env.Environment
	theWorld *world
)

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	if reason := cannotHaveNodes(); reason != "" {
		fmt.Fprintln(os.Stderr, "e2e: skipped:", reason)
		if os.Getenv("CI") == "true" {
			return 1 // a suite that proves nothing must not look like one that passed
		}
		return 0
	}
	name := os.Getenv("CLUSTER_NAME")
	if name == "" {
		name = "e2e"
	}
	provider, err := cluster.FromEnvironment(cluster.Options{
		Name: name, Nodes: 3, Monitoring: os.Getenv("CLUSTER") != "kwok", Shop: os.Getenv("CLUSTER") != "kwok",
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	suite = env.NewWithConfig(envconf.New())
	destroy := sync.OnceValue(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		theWorld.leave(ctx)
		return provider.Destroy(ctx)
	})
	defer destroyOnSignal(destroy)()
	suite.Setup(func(ctx context.Context, config *envconf.Config) (context.Context, error) {
		var err error
		theWorld, err = newWorld(ctx, provider)
		if err == nil {
			config.WithKubeconfigFile(theWorld.kubeconfig).WithKubeContext(theWorld.context)
		}
		return ctx, err
	})
	suite.Finish(func(ctx context.Context, _ *envconf.Config) (context.Context, error) {
		return ctx, destroy()
	})
	return suite.Run(m)
}

// cannotHaveNodes says why the default flavour can't run here.
func cannotHaveNodes() string {
	flavour := os.Getenv("CLUSTER")
	if flavour != "" && flavour != string(cluster.Local) {
		return ""
	}
	if runtime.GOOS == "linux" && os.Geteuid() == 0 {
		return ""
	}
	return fmt.Sprintf("real nodes need linux and root (this is %s, user id %d): use CLUSTER=kwok, or CLUSTER=existing with CONTEXT=...",
		runtime.GOOS, os.Geteuid())
}

// destroyOnSignal takes the cluster down when the suite is interrupted, since
// a killed test binary runs no deferred calls.
func destroyOnSignal(destroy func() error) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if _, ok := <-signals; !ok {
			return
		}
		fmt.Fprintln(os.Stderr, "e2e: interrupted: taking the cluster down")
		if err := destroy(); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
		}
		os.Exit(130)
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}
