// Command provisioner gives claims of a test cluster volumes: directories of
// the node that the scheduler chose, as PersistentVolumes of type local. It
// runs on the machine, where the directories of all nodes are.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"

	"gameday.dev/gameday/test/cluster/internal/volumes"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "provisioner: %v\n", err)
		os.Exit(1) //nolint:gocritic // stop only restores signals
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: provisioner KUBECONFIG NODES ADDRESS; it is started by the cluster command")
	}
	config, err := clientcmd.BuildConfigFromFlags("", args[0])
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 500, 1000 // a namespace with dozens of claims comes and goes at once
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := serveHealth(args[2]); err != nil {
		return err
	}
	controller.NewProvisionController(ctx, client, volumes.Provisioner, volumes.Directories{Nodes: args[1]},
		controller.LeaderElection(false), // there is one
		controller.Threadiness(8),
		// Retried for ever, but not after the quarter of a minute that is the default: tests wait for it.
		controller.RateLimiter(workqueue.NewTypedItemExponentialFailureRateLimiter[string](100*time.Millisecond, 5*time.Second)),
		controller.FailedProvisionThreshold(0),
		controller.FailedDeleteThreshold(0),
		// Else the directory of a volume that is deleted before its claim would stay.
		controller.AddFinalizer(true),
	).Run(ctx)
	return nil
}
