package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/test/cluster"
)

const (
	crowd          = 10_000 // pods
	crowdNodes     = 10
	changesASecond = 100
	crowdHold      = time.Minute
	// notReady is how many pods of the crowd are not Ready at any time.
	notReady = 50
)

const memoryScenario = `apiVersion: gameday.dev/v1alpha1
kind: Scenario
metadata: {name: bench-memory}
spec:
  timeout: 20m
  limits: {namespaces: [bench-memory], maxPods: 1}
  checks:
    - name: crowd-stays-up
      availability:
        workload: {kind: Deployment, namespace: bench-memory, name: crowd}
        minAvailable: 90%%
  steps:
    - name: kill-another
      podKill: {namespace: bench-memory, selector: app=victim, count: 1}
      hold: %s
`

// measureMemory watches one Deployment of 10,000 pods for a minute in which
// 100 times a second one of them becomes Ready or ceases to be so: the changes
// that cost most, since each one changes the count and is written down.
func measureMemory(ctx context.Context, b *bench, times int) ([]figure, error) {
	var samples []float64
	var notes []string
	err := withCluster(ctx, "memory", func(c *cluster.Cluster) error {
		client, err := c.Client()
		if err != nil {
			return err
		}
		if err := addNodes(ctx, client, "crowd", "crowd", crowdNodes, crowd/crowdNodes); err != nil {
			return err
		}
		err = c.Apply(ctx, []byte(namespace("bench-memory")+deployment("bench-memory", "crowd", "crowd", crowd)+deployment("bench-memory", "victim", "", 2)))
		if err != nil {
			return err
		}
		for range times {
			began := time.Now()
			if err := awaitReady(ctx, client, "bench-memory"); err != nil {
				return err
			}
			progress("%d pods Ready after %s", crowd, time.Since(began).Round(time.Second))
			pods, err := podNames(ctx, client, "bench-memory", "crowd")
			if err != nil {
				return err
			}
			var rate float64
			p, err := b.play(ctx, c.Kubeconfig(), fmt.Sprintf(memoryScenario, crowdHold), func(ctx context.Context) error {
				rate, err = stir(ctx, client, pods, crowdHold-5*time.Second)
				return err
			})
			if err != nil {
				return err
			}
			if p.peak == 0 {
				return errors.New("the memory of a process is only known on Linux")
			}
			samples = append(samples, float64(p.peak)/1e6)
			notes = append(notes, fmt.Sprintf("%.0f changes a second made, %d events written", rate, p.record.Len()))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return []figure{median("peak RSS, 10,000 pods, 100 changes/s", "MB", 150, samples, notes...)}, nil
}

// stir changes the readiness of one pod after the other and returns how many
// changes a second it came to. In the end all pods are Ready again.
func stir(ctx context.Context, client kubernetes.Interface, pods []string, length time.Duration) (float64, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(32)
	change := func(pod int, ready bool) {
		group.Go(func() error {
			_, _, err := setReady(ctx, client, "bench-memory", pods[pod%len(pods)], ready)
			return err
		})
	}
	for pod := range notReady {
		change(pod, false)
	}
	began := time.Now()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	changes := 0
	for time.Since(began) < length && ctx.Err() == nil {
		<-ticker.C
		// By the clock and not by ticks: those that a busy machine drops are made up for.
		for due := int(changesASecond * time.Since(began).Seconds()); changes < due; changes += 2 {
			change(notReady+changes/2, false)
			change(changes/2, true)
		}
	}
	rate := float64(changes) / time.Since(began).Seconds()
	for pod := range notReady {
		change(changes/2+pod, true)
	}
	return rate, group.Wait()
}
