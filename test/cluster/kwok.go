package cluster

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

func (c *Cluster) kwokCommand() []string {
	return []string{
		c.Programs[kwok],
		"--kubeconfig=" + c.kubeconfigOf(kwok),
		"--manage-all-nodes=true",
		"--node-lease-duration-seconds=40",
		"--cidr=" + c.Slot.podSubnet(),
		"--node-ip=" + c.Slot.bridgeAddress(),
		"--server-address=" + c.Slot.loopback(portKwok),
		"--v=WARN", // else a line for every pod
		// Its own defaults, not those of the user's home directory.
		"--config=" + c.path("kwok.yaml"),
	}
}

// createPretendedNodes makes the Node objects that kwok then plays kubelet for.
func createPretendedNodes(ctx context.Context, client kubernetes.Interface, count int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i := 1; i <= count; i++ {
		node := pretendedNode(nodeName(i))
		group.Go(func() error {
			_, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
			if err != nil && !apierrors.IsAlreadyExists(err) {
				return fmt.Errorf("creating node %s: %w", node.Name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func pretendedNode(name string) *corev1.Node {
	resources := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("32"),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse("250"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Labels:      map[string]string{corev1.LabelHostname: name, corev1.LabelOSStable: "linux", "type": "kwok"},
			Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"},
		},
		Status: corev1.NodeStatus{Capacity: resources, Allocatable: resources},
	}
}
