package e2e

import (
	"context"
	"os"
	"runtime/debug"
	"testing"

	"sigs.k8s.io/e2e-framework/pkg/envconf"
	"sigs.k8s.io/e2e-framework/pkg/features"
)

// promise is one sentence about gameday and the proof of it.
type promise struct {
	says  string
	needs need
	proof func(*scene)
}

// need is what a proof asks of the cluster beyond its API.
type need int

const (
	anyCluster   need = iota
	realNodes         // pods really run, nodes and daemons can be broken
	monitoring        // Prometheus, Alertmanager and a receiver watch it
	ownMachinery      // the control plane's daemons are ours to break
	velero            // Velero and its bucket, which are ours to break too
)

// prove shows each promise as a feature of its own: one that is broken keeps
// none of the others from being shown.
func prove(t *testing.T, promises ...promise) {
	t.Helper()
	var all []features.Feature
	for _, p := range promises {
		all = append(all, features.New(p.says).Assess("holds", func(ctx context.Context, t *testing.T, _ *envconf.Config) context.Context {
			if why := missing(p.needs); why != "" {
				skip(t, why)
			}
			// A panic would end the process and leave the cluster behind.
			defer func() {
				if r := recover(); r != nil {
					t.Fatalf("panic: %v\n%s", r, debug.Stack())
				}
			}()
			p.proof(newScene(ctx, t))
			return ctx
		}).Feature())
	}
	suite.Test(t, all...)
}

func missing(needs need) string {
	local, at := theWorld.provider.Cluster(), theWorld.provider.Endpoints()
	switch {
	case needs == monitoring && (at.Prometheus == "" || at.Alertmanager == "" || at.Webhook == ""):
		return "needs monitoring: set PROMETHEUS_URL, ALERTMANAGER_URL and WEBHOOK_URL"
	case needs == ownMachinery && local == nil:
		return "breaks the control plane, which is only done to a cluster of the suite's own (CLUSTER=local or kwok)"
	case needs == velero && (local == nil || !local.Velero):
		return "breaks Velero and damages backups, which is only done to a cluster of the suite's own with real nodes (CLUSTER=local)"
	case needs == realNodes && os.Getenv("CLUSTER") == "kwok":
		return "needs pods that really run, which the kwok flavour only pretends"
	}
	return ""
}

// skip says why, and is a failure where nothing may be skipped: in CI, on a
// cluster of our own with real nodes.
func skip(t *testing.T, why string) {
	t.Helper()
	if flavour := os.Getenv("CLUSTER"); os.Getenv("CI") == "true" && (flavour == "" || flavour == "local") {
		t.Fatal("nothing may be skipped in CI on a local cluster: " + why)
	}
	t.Skip("skipped: " + why)
}
