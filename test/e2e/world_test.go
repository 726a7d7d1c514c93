package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/e2e-framework/klient/wait"

	"gameday.dev/gameday/test/cluster"
	"gameday.dev/gameday/test/shop"
)

// reserved taints the nodes that the tests break, so that nothing of others
// runs there and a drain touches the test's own pods only.
const reserved = "gameday.dev/e2e"

// world is the cluster and the program under test.
type world struct {
	provider   cluster.Provider
	client     kubernetes.Interface
	config     *rest.Config
	kubeconfig string
	context    string
	program    string // the gameday that was built for this suite
	home       string
	// stage is the node that is drained; wing is its neighbour.
	stage, wing string
}

func newWorld(ctx context.Context, provider cluster.Provider) (*world, error) {
	kubeconfig, err := provider.Create(ctx)
	if err != nil {
		return nil, err
	}
	w := &world{provider: provider, kubeconfig: kubeconfig, context: provider.GetKubectlContext()}
	if w.config, err = clientcmd.BuildConfigFromFlags("", kubeconfig); err != nil {
		return nil, err
	}
	w.config.QPS, w.config.Burst = 200, 400
	if w.client, err = kubernetes.NewForConfig(w.config); err != nil {
		return nil, err
	}
	if w.home, err = os.MkdirTemp("", "gameday-e2e-"); err != nil {
		return w, err
	}
	w.program = filepath.Join(w.home, "gameday")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", w.program, "../../cmd/gameday").CombinedOutput(); err != nil {
		return w, fmt.Errorf("building gameday: %w\n%s", err, out)
	}
	if err := w.sweep(ctx); err != nil {
		return w, err
	}
	return w, w.reserve(ctx)
}

// sweep removes the scenes that a killed suite has left in a kept cluster.
func (w *world) sweep(ctx context.Context) error {
	namespaces := w.client.CoreV1().Namespaces()
	left, err := namespaces.List(ctx, metav1.ListOptions{LabelSelector: reserved})
	if err != nil {
		return err
	}
	for _, namespace := range left.Items {
		if err := namespaces.Delete(ctx, namespace.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return err
		}
	}
	return wait.For(func(ctx context.Context) (bool, error) {
		left, err := namespaces.List(ctx, metav1.ListOptions{LabelSelector: reserved})
		return err == nil && len(left.Items) == 0, nil
	}, wait.WithContext(ctx), wait.WithTimeout(2*time.Minute), wait.WithInterval(time.Second), wait.WithImmediate())
}

// reserve sets the last two workers apart.
func (w *world) reserve(ctx context.Context) error {
	nodes, err := w.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: "!node-role.kubernetes.io/control-plane"})
	if err != nil {
		return err
	}
	if len(nodes.Items) < 3 {
		return fmt.Errorf("the suite needs 3 workers, the cluster has %d", len(nodes.Items))
	}
	last := nodes.Items[len(nodes.Items)-2:]
	w.wing, w.stage = last[0].Name, last[1].Name
	for _, name := range []string{w.wing, w.stage} {
		if err := w.setReserved(ctx, name, true); err != nil {
			return err
		}
		if err := w.clear(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) setReserved(ctx context.Context, name string, on bool) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		node, err := w.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == reserved })
		if on {
			node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: reserved, Effect: corev1.TaintEffectNoSchedule})
		}
		_, err = w.client.CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{})
		return err
	})
}

// clear moves away what runs on a node already. A volume of the shop's would
// hold its pod to the node: it is given up for a new one.
func (w *world) clear(ctx context.Context, node string) error {
	selector := fields.OneTermEqualSelector("spec.nodeName", node).String()
	pods, err := w.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: selector})
	if err != nil {
		return err
	}
	var errs []error
	for _, pod := range pods.Items {
		if owner := metav1.GetControllerOf(&pod); owner != nil && owner.Kind != "DaemonSet" && owner.Kind != "Node" {
			if pod.Namespace == shop.Namespace {
				errs = append(errs, w.unclaim(ctx, &pod))
			}
			errs = append(errs, w.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{}))
		}
	}
	return errors.Join(errs...)
}

// unclaim deletes the claims of a pod; they go when the pod does.
func (w *world) unclaim(ctx context.Context, pod *corev1.Pod) error {
	var errs []error
	for _, volume := range pod.Spec.Volumes {
		if claim := volume.PersistentVolumeClaim; claim != nil {
			errs = append(errs, w.client.CoreV1().PersistentVolumeClaims(pod.Namespace).Delete(ctx, claim.ClaimName, metav1.DeleteOptions{}))
		}
	}
	return errors.Join(errs...)
}

// leave gives the nodes back, for clusters that outlive the suite.
func (w *world) leave(ctx context.Context) {
	if w == nil {
		return
	}
	for _, node := range []string{w.wing, w.stage} {
		if node != "" {
			if err := w.setReserved(ctx, node, false); err != nil {
				fmt.Fprintf(os.Stderr, "e2e: node %s keeps taint %s: %v\n", node, reserved, err)
			}
		}
	}
	_ = os.RemoveAll(w.home)
}
