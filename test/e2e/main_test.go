package e2e

import (
	"context"
	"flag"
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
	real := os.Getenv("CLUSTER") != string(cluster.Kwok)
	provider, err := cluster.FromEnvironment(cluster.Options{
		Name: name, Nodes: 3, Etcd: 3, Encryption: true, Monitoring: real, Shop: real, Velero: real,
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
	defer destroyInTime(destroy)()
	suite.Setup(func(ctx context.Context, config *envconf.Config) (context.Context, error) {
		var err error
		theWorld, err = newWorld(ctx, provider)
		if err == nil {
			config.WithKubeconfigFile(theWorld.kubeconfig).WithKubeContext(theWorld.context)
		}
		return ctx, err
	})
	suite.Finish(func(ctx context.Context, _ *envconf.Config) (context.Context, error) {
		err := destroy()
		if err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err) // the framework keeps it to itself
		}
		return ctx, err
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

// lastMinute is kept of -timeout for taking the cluster down: the panic at its
// end runs no deferred calls.
const lastMinute = time.Minute

// destroyInTime takes the cluster down when the suite is interrupted or about
// to be ended by -timeout.
func destroyInTime(destroy func() error) (stop func()) {
	signals, stopped := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	flag.Parse()
	timer := time.NewTimer(time.Hour * 24 * 365)
	if value, ok := flag.Lookup("test.timeout").Value.(flag.Getter); ok {
		if timeout, ok := value.Get().(time.Duration); ok && timeout > 2*lastMinute {
			timer.Reset(timeout - lastMinute)
		}
	}
	go func() {
		code := 130
		select {
		case <-stopped:
			return
		case <-timer.C:
			code = 1
			fmt.Fprintln(os.Stderr, "e2e: -timeout is near: taking the cluster down; give the suite 90m")
		case <-signals:
			fmt.Fprintln(os.Stderr, "e2e: interrupted: taking the cluster down")
		}
		if err := destroy(); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
		}
		os.Exit(code)
	}()
	return func() {
		signal.Stop(signals)
		timer.Stop()
		close(stopped)
	}
}
