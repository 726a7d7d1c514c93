package cluster_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/e2e-framework/pkg/env"
	"sigs.k8s.io/e2e-framework/pkg/envconf"
	"sigs.k8s.io/e2e-framework/pkg/envfuncs"

	"gameday.dev/gameday/test/cluster"
	"gameday.dev/gameday/test/shop"
)

// TestKwokUnderE2EFramework drives the provider as a suite does: create, use,
// destroy. It needs neither root nor Linux.
func TestKwokUnderE2EFramework(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it brings up a real control plane, and -short was given")
	}
	const name = "test-kwok"
	t.Cleanup(func() { down(t, name) })
	provider := cluster.NewProvider(cluster.Options{Flavour: cluster.Kwok, Nodes: 20, Progress: t.Output()})
	config := envconf.New()
	ctx := t.Context()
	run := func(what string, f env.Func) {
		t.Helper()
		var err error
		if ctx, err = f(ctx, config); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	run("creating the cluster", envfuncs.CreateCluster(provider, name))
	c := provider.Cluster()
	if c.Name != name || provider.GetKubectlContext() != "gameday-"+name || config.KubeconfigFile() != c.Kubeconfig() {
		t.Errorf("the suite was given cluster %s, context %s, kubeconfig %s", c.Name, provider.GetKubectlContext(), config.KubeconfigFile())
	}
	if err := c.Apply(ctx, shop.Manifests()); err != nil {
		t.Fatal(err)
	}
	within(t, time.Minute, "the shop pretends to run", func() error {
		var web appsv1.Deployment
		if err := config.Client().Resources(shop.Namespace).Get(ctx, "web", shop.Namespace, &web); err != nil {
			return err
		}
		if web.Status.AvailableReplicas < 3 {
			return fmt.Errorf("%d of 3 are available", web.Status.AvailableReplicas)
		}
		return nil
	})
	if _, err := c.Node("n1"); err == nil {
		t.Error("a node that pretends could be had for breaking")
	}
	crash(ctx, t, c, "kube-apiserver")
	client, err := c.Client()
	if err != nil {
		t.Fatal(err)
	}
	if nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{}); err != nil || len(nodes.Items) != 20 {
		t.Errorf("after the API server's crash: %v, %d nodes of 20", err, len(nodes.Items))
	}
	run("destroying the cluster", envfuncs.DestroyCluster(name))
	wantNothingLeft(t, c)
}

func crash(ctx context.Context, t *testing.T, c *cluster.Cluster, daemon string) {
	t.Helper()
	d, err := c.Daemon(daemon)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.Start(ctx); err != nil {
		t.Fatal(err)
	}
}
