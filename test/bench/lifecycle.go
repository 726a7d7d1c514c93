package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gameday.dev/gameday/test/cluster"
)

// endPods makes the pods of a cluster take some time to end. By default kwok's
// pods are gone within milliseconds of being told to, which no container
// manages that is sent a signal first.
func endPods(ctx context.Context, c *cluster.Cluster, after time.Duration) error {
	if after == 0 {
		return nil
	}
	if err := os.WriteFile(filepath.Join(c.Dir(), "kwok.yaml"), fmt.Appendf(nil, podStages, after.Milliseconds()), 0o644); err != nil {
		return err
	}
	kwok, err := c.Daemon("kwok")
	if err != nil {
		return err
	}
	return kwok.Restart(ctx)
}

// podStages is the life of a pod for kwok: Ready at once, gone some time after
// its deletion. Stages for pods replace all of kwok's own for them.
const podStages = `apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: ready}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
      - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
      - {key: .status.podIP, operator: DoesNotExist}
  next:
    statusTemplate: |
      {{ $now := Now }}
      phase: Running
      startTime: {{ $now | Quote }}
      hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
      podIP: {{ PodIPWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace | Quote }}
      conditions:
        - {type: Ready, status: "True", lastTransitionTime: {{ $now | Quote }}}
        - {type: ContainersReady, status: "True", lastTransitionTime: {{ $now | Quote }}}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: end}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
      - {key: .metadata.deletionTimestamp, operator: Exists}
  delay: {durationMilliseconds: %d}
  next: {finalizers: {empty: true}, delete: true}
`
