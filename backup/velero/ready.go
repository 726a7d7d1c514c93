package velero

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/verify/objects"
)

// lookAgain is how often readiness is looked at: several kinds are waited for at
// once, and a restore takes many times that.
const lookAgain = time.Second

// ready is the rung of a restore that is started: every workload is as ready as it
// was declared.
func (c *climb) ready(ctx context.Context) backup.Rung {
	began := time.Now()
	for {
		waiting, count, err := c.waitingFor(ctx)
		switch {
		case err != nil && ctx.Err() == nil && !kube.Unreachable(err):
			return backup.Unsure("%v", err)
		case err == nil && len(waiting) == 0:
			found := backup.Held("%d workloads are ready", count)
			found.RecoverySeconds = time.Since(began).Seconds()
			return found
		}
		if kube.Pause(ctx, lookAgain) != nil {
			found := backup.Broken("%d of %d workloads are not ready after %s", len(waiting), count, time.Since(began).Round(time.Second))
			found.Problems, found.ProblemCount = capped(waiting), int64(len(waiting))
			return found
		}
	}
}

// waitingFor says what of the restored workloads is not ready, and why.
func (c *climb) waitingFor(ctx context.Context) (waiting []string, count int, err error) {
	listed := objects.Listed{Client: c.env.Dynamic, Namespaces: []string{c.plan.Into}}
	for _, workload := range []struct {
		version        schema.GroupVersion
		resource, kind string
	}{
		{appsv1.SchemeGroupVersion, "deployments", "Deployment"},
		{appsv1.SchemeGroupVersion, "statefulsets", "StatefulSet"},
		{appsv1.SchemeGroupVersion, "daemonsets", "DaemonSet"},
		{corev1.SchemeGroupVersion, "persistentvolumeclaims", "PersistentVolumeClaim"},
	} {
		resource := objects.Resource{Group: workload.version.Group, Version: workload.version.Version, Name: workload.resource, Kind: workload.kind, Namespaced: true}
		for object, err := range listed.Objects(ctx, resource) {
			if err != nil {
				return waiting, count, err
			}
			count++
			if workload.kind == "PersistentVolumeClaim" && !c.isUsed(object.GetName()) {
				continue // one that nobody mounts may wait for its first consumer for ever
			}
			if ready, why := objects.Ready(object); !ready {
				waiting = append(waiting, fmt.Sprintf("%s %s: %s", object.GetKind(), object.GetName(), why))
			}
		}
	}
	return waiting, count, nil
}

func (c *climb) isUsed(claim string) bool {
	for _, volume := range c.volumes {
		if volume.Claim == claim && volume.Pod != "" {
			return true
		}
	}
	return false
}
