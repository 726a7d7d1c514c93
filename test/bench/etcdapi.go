package main

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/test/cluster"
)

const (
	// crowdedObjects are what the API server of rung 7 lists, and its living twin.
	crowdedObjects    = 20_000
	crowdedNamespaces = 20
)

const apiServerScenario = `apiVersion: gameday.dev/v1alpha1
kind: Scenario
metadata: {name: bench-etcd}
spec:
  timeout: 20m
  steps:
    - name: etcd
      etcdRestore: {level: apiServer}
`

// measureEtcdAPIServer climbs the whole ladder in a cluster of 20,000 objects.
func measureEtcdAPIServer(ctx context.Context, b *bench, times int) ([]figure, error) {
	var samples []float64
	var notes []string
	err := withCluster(ctx, "etcd", func(c *cluster.Cluster) error {
		client, err := c.Client()
		if err != nil {
			return err
		}
		if err := crowdCluster(ctx, client); err != nil {
			return fmt.Errorf("filling the cluster: %w", err)
		}
		for range times {
			p, err := b.play(ctx, c.Kubeconfig(), apiServerScenario, nil, "--environment", c.Environment())
			if err != nil {
				return err
			}
			note := ""
			for event := range p.record.All() {
				if event.Kind != backup.EventRung {
					continue
				}
				var rung backup.Rung
				if err := event.Decode(&rung); err != nil {
					return err
				}
				note += fmt.Sprintf("%s %.1fs, ", rung.Name, rung.Seconds)
				if rung.Name == "apiServer" {
					samples = append(samples, rung.Seconds)
					note += rung.Summary
				}
			}
			progress("ladder: %s", note)
			notes = append(notes, note)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return []figure{median("rung apiServer, 20,000 objects", "s", 60, samples, notes...)}, nil
}

// crowdCluster makes ConfigMaps and Secrets until there are as many objects as wanted.
func crowdCluster(ctx context.Context, client kubernetes.Interface) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(32)
	for n := range crowdedNamespaces {
		name := fmt.Sprintf("bench-etcd-%02d", n)
		if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			return err
		}
		for i := range crowdedObjects / crowdedNamespaces / 2 {
			meta := metav1.ObjectMeta{Name: fmt.Sprintf("object-%04d", i), Labels: map[string]string{"app": "bench"}}
			text := strings.Repeat("0123456789", 80)
			group.Go(func() error {
				_, err := client.CoreV1().ConfigMaps(name).Create(ctx, &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"settings": text}}, metav1.CreateOptions{})
				return err
			})
			group.Go(func() error {
				_, err := client.CoreV1().Secrets(name).Create(ctx, &corev1.Secret{ObjectMeta: meta, StringData: map[string]string{"settings": text}}, metav1.CreateOptions{})
				return err
			})
		}
	}
	return group.Wait()
}
