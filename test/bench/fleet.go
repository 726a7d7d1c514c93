package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// poolLabel says to which pool a node of the bench belongs; workloads choose by it.
const poolLabel = "bench.gameday.dev/pool"

// addNodes makes nodes that pretend, each with room for as many pods.
func addNodes(ctx context.Context, client kubernetes.Interface, pool, side string, count, pods int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i := 1; i <= count; i++ {
		name := fmt.Sprintf("%s-%02d", side, i)
		room := corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse("32"),
			corev1.ResourceMemory: resource.MustParse("256Gi"),
			corev1.ResourcePods:   *resource.NewQuantity(int64(pods), resource.DecimalSI),
		}
		node := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
				corev1.LabelHostname: name, corev1.LabelOSStable: "linux", poolLabel: pool, sideLabel: side,
			}},
			Status: corev1.NodeStatus{Capacity: room, Allocatable: room},
		}
		group.Go(func() error {
			_, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
			return err
		})
	}
	return group.Wait()
}

// deployment is the manifest of a Deployment on the nodes of a pool; without
// one it runs on the cluster's own node.
func deployment(namespace, name, pool string, replicas int) string {
	selector := corev1.LabelHostname + ": n1"
	if pool != "" {
		selector = poolLabel + ": " + pool
	}
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {namespace: %s, name: %[2]s}
spec:
  replicas: %d
  selector: {matchLabels: {app: %[2]s}}
  template:
    metadata: {labels: {app: %[2]s}}
    spec:
      nodeSelector: {%[4]s}
      tolerations: [{operator: Exists, key: node.kubernetes.io/not-ready, effect: NoExecute}]
      containers: [{name: main, image: nothing}]
---
`, namespace, name, replicas, selector)
}

func namespace(name string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n---\n", name)
}

// awaitReady waits until every Deployment of the namespace has all its replicas.
func awaitReady(ctx context.Context, client kubernetes.Interface, namespace string) error {
	var missing string
	err := wait.PollUntilContextTimeout(ctx, 250*time.Millisecond, 10*time.Minute, true, func(ctx context.Context) (bool, error) {
		list, err := client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		missing = ""
		for _, d := range list.Items {
			if d.Status.ObservedGeneration < d.Generation || d.Status.AvailableReplicas != *d.Spec.Replicas || d.Status.Replicas != *d.Spec.Replicas {
				missing = fmt.Sprintf("%s has %d of %d", d.Name, d.Status.AvailableReplicas, *d.Spec.Replicas)
			}
		}
		return missing == "", nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the workloads of %s: %w: %s", namespace, err, missing)
	}
	return nil
}

// podNames lists the pods of an app page by page.
func podNames(ctx context.Context, client kubernetes.Interface, namespace, app string) ([]string, error) {
	var names []string
	options := metav1.ListOptions{LabelSelector: "app=" + app, Limit: 500}
	for {
		list, err := client.CoreV1().Pods(namespace).List(ctx, options)
		if err != nil {
			return nil, fmt.Errorf("listing pods of %s/%s: %w", namespace, app, err)
		}
		for _, pod := range list.Items {
			names = append(names, pod.Name)
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return names, nil
		}
	}
}

// setReady makes a pod Ready or not, as its kubelet would. The API server did
// it between the two moments returned.
//
// A real application that is told to be unready can't serve as the truth: the
// kubelet's probe asks once a second at most, so the API learns of it up to a
// second later, and no watcher of the API can know better.
func setReady(ctx context.Context, client kubernetes.Interface, namespace, pod string, ready bool) (sent, answered time.Time, err error) {
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	patch := fmt.Appendf(nil, `{"status":{"conditions":[{"type":"Ready","status":%q,"lastTransitionTime":%q}]}}`,
		status, time.Now().UTC().Format(time.RFC3339))
	sent = time.Now()
	_, err = client.CoreV1().Pods(namespace).Patch(ctx, pod, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil {
		return sent, sent, fmt.Errorf("making pod %s/%s ready=%v: %w", namespace, pod, ready, err)
	}
	return sent, time.Now(), nil
}
