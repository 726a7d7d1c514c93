package cluster

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// waitNodes waits until all nodes are Ready.
func waitNodes(ctx context.Context, client kubernetes.Interface, count int, patience time.Duration) error {
	return until(ctx, patience, 200*time.Millisecond, fmt.Sprintf("%d nodes to be Ready", count), func(ctx context.Context) error {
		return nodesReady(ctx, client, count)
	})
}

func nodesReady(ctx context.Context, client kubernetes.Interface, count int) error {
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	ready := 0
	var last string
	for _, node := range nodes.Items {
		for _, condition := range node.Status.Conditions {
			if condition.Type != corev1.NodeReady {
				continue
			}
			if condition.Status == corev1.ConditionTrue {
				ready++
			} else {
				last = fmt.Sprintf("; %s: %s", node.Name, condition.Message)
			}
		}
	}
	if ready < count {
		return fmt.Errorf("%d of %d are%s", ready, count, last)
	}
	return nil
}

// waitWorkloads waits until every Deployment and StatefulSet of the namespace
// has all its replicas available.
func waitWorkloads(ctx context.Context, client kubernetes.Interface, namespace string, patience time.Duration) error {
	return until(ctx, patience, 200*time.Millisecond, "the workloads in namespace "+namespace, func(ctx context.Context) error {
		deployments, err := client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, d := range deployments.Items {
			if d.Status.ObservedGeneration < d.Generation || d.Status.AvailableReplicas < *d.Spec.Replicas {
				return fmt.Errorf("%s has %d of %d replicas available", d.Name, d.Status.AvailableReplicas, *d.Spec.Replicas)
			}
		}
		sets, err := client.AppsV1().StatefulSets(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, s := range sets.Items {
			if s.Status.ObservedGeneration < s.Generation || s.Status.AvailableReplicas < *s.Spec.Replicas {
				return fmt.Errorf("%s has %d of %d replicas available", s.Name, s.Status.AvailableReplicas, *s.Spec.Replicas)
			}
		}
		return nil
	})
}

// Healthy says what is wrong with the cluster, nil when nothing is: its
// daemons run and serve and its nodes are Ready.
func (c *Cluster) Healthy(ctx context.Context) error {
	if c.Phase != phaseRunning {
		return fmt.Errorf("cluster %s was never fully up: its phase is %s", c.Name, c.Phase)
	}
	for _, name := range c.Daemons() {
		d, err := c.Daemon(name)
		if err != nil {
			return err
		}
		if !d.Running(ctx) {
			return fmt.Errorf("%s does not run", name)
		}
		if d.ready != nil {
			if err := d.ready(ctx); err != nil {
				return fmt.Errorf("%s does not serve: %w", name, err)
			}
		}
	}
	client, err := c.Client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return nodesReady(ctx, client, c.Nodes)
}
