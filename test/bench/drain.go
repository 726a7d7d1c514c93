package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/test/cluster"
)

// What is drained. Every budget lets a tenth of its workload go at a time, and
// the 20 workloads are spread over all 20 nodes, so that a tool which drains
// the nodes side by side is held by the budgets all the time, and one which
// takes node after node hardly ever.
const (
	sideLabel      = "bench.gameday.dev/side"
	drainNamespace = "bench-drain"
	drainNodes     = 20
	podsOnNode     = 50
	workloads      = 20
	replicas       = drainNodes * podsOnNode / workloads
	maxUnavailable = "10%"
	allowed        = replicas / 10
)

const drainScenario = `apiVersion: gameday.dev/v1alpha1
kind: Scenario
metadata: {name: bench-drain}
spec:
  timeout: 20m
  limits: {namespaces: [bench-drain], maxNodes: 20}
  checks:
    - name: stays-up
      availability: {workload: {kind: Deployment, namespace: bench-witness, name: witness}}
  steps:
    - name: drain
      nodeDrain: {selector: bench.gameday.dev/side=full, count: 20, timeout: 10m, expect: drained}
`

// drained is one drain by one tool.
type drained struct {
	took time.Duration
	// own are the requests of planning and draining, all those of the process.
	own, all []request
	note     string
}

// tool drains the nodes of the full side, counted, and ends the counting.
type tool func(ctx context.Context, kubeconfig string, n *counter) (drained, error)

// measureDrain lets pods take five seconds to end, the pause that many take
// before they stop, so that all who send them requests have heard of it. The
// longer it is, the more often kubectl asks whether each pod is gone.
func measureDrain(ctx context.Context, b *bench, times int) ([]figure, error) {
	return compareDrains(ctx, b, times, 5*time.Second)
}

// measureDrainAtOnce is the least that a drain can cost kubectl: each pod is
// gone when it first looks for it, which makes two requests a pod. Nobody can
// come to half of that, since each pod takes an eviction of its own.
func measureDrainAtOnce(ctx context.Context, b *bench, times int) ([]figure, error) {
	figures, err := compareDrains(ctx, b, times, 0)
	for i := range figures {
		figures[i] = figures[i].informative()
	}
	return figures, err
}

// compareDrains drains the same 20 nodes by gameday and by kubectl, in turn,
// each time from the same fresh state. Compared is what kubectl does as a
// whole process with what gameday does from the end of its baseline to the end
// of the step: both choose and list pods, cordon, evict and wait for the end.
func compareDrains(ctx context.Context, b *bench, times int, ending time.Duration) ([]figure, error) {
	var slower, chattier, whole []float64
	var notes []string
	err := withCluster(ctx, "drain", func(c *cluster.Cluster) error {
		if err := endPods(ctx, c, ending); err != nil {
			return err
		}
		client, err := c.Client()
		if err != nil {
			return err
		}
		kubectl, err := c.Program(ctx, "kubectl")
		if err != nil {
			return err
		}
		if err := prepareDrains(ctx, c, client); err != nil {
			return err
		}
		tools := []tool{b.drainByGameday, b.drainByKubectl(kubectl)}
		for i := range times {
			var by [2]drained
			for turn := range tools {
				who := (turn + i) % 2 // who goes first changes
				if by[who], err = b.drainOnce(ctx, c, client, tools[who]); err != nil {
					return err
				}
				progress("drain %d of %d: %s", i+1, times, by[who].note)
				notes = append(notes, by[who].note)
			}
			ours, theirs := by[0], by[1]
			slower = append(slower, ours.took.Seconds()/theirs.took.Seconds())
			chattier = append(chattier, float64(len(ours.own))/float64(len(theirs.own)))
			whole = append(whole, float64(len(ours.all))/float64(len(theirs.all)))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf("%d nodes with %d pods each, %d Deployments with a PDB of maxUnavailable %s each; pods take %s to end and are Ready at once",
		drainNodes, podsOnNode, workloads, maxUnavailable, ending)
	return []figure{
		median("time, gameday / kubectl drain", "", 1, slower, append([]string{head}, notes...)...),
		median("API requests of the drain, gameday / kubectl drain", "", 0.5, chattier),
		median("API requests of the whole process, gameday / kubectl drain", "", 0.5, whole).informative(),
	}, nil
}

func (b *bench) drainByGameday(ctx context.Context, kubeconfig string, n *counter) (drained, error) {
	p, err := b.play(ctx, kubeconfig, drainScenario, nil)
	requests := n.close()
	if err != nil {
		return drained{}, err
	}
	planning, injecting, injected := p.moment(journal.RunBaseline), p.moment(journal.StepInjecting), p.moment(journal.StepInjected)
	d := drained{took: injected.Sub(planning), own: between(requests, planning, injected), all: requests}
	d.note = fmt.Sprintf("gameday  %.1fs, of it %.1fs in the step; requests: %s; whole process %d",
		d.took.Seconds(), injected.Sub(injecting).Seconds(), tally(d.own), len(d.all))
	return d, nil
}

func (b *bench) drainByKubectl(kubectl string) tool {
	return func(ctx context.Context, kubeconfig string, n *counter) (drained, error) {
		var output bytes.Buffer
		command := exec.CommandContext(ctx, kubectl, "--kubeconfig", kubeconfig, "--cache-dir", filepath.Join(b.dir, "kubectl-cache"),
			"drain", "--selector", sideLabel+"=full", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=10m")
		command.Stdout, command.Stderr = &output, &output
		began := time.Now()
		err := command.Run()
		d := drained{took: time.Since(began), own: n.close()}
		if err != nil {
			return drained{}, fmt.Errorf("kubectl drain: %w\n%s", err, output.String())
		}
		d.all = d.own
		d.note = fmt.Sprintf("kubectl  %.1fs; requests: %s", d.took.Seconds(), tally(d.own))
		return d, nil
	}
}

// drainOnce makes the fresh state, lets a tool drain it, and sees for itself
// that the nodes are empty.
func (b *bench) drainOnce(ctx context.Context, c *cluster.Cluster, client kubernetes.Interface, drain tool) (drained, error) {
	if err := fillNodes(ctx, c, client); err != nil {
		return drained{}, err
	}
	n, err := newCounter(c)
	if err != nil {
		return drained{}, err
	}
	kubeconfig := filepath.Join(b.dir, "counted.kubeconfig")
	if err := n.writeKubeconfig(kubeconfig); err != nil {
		n.close()
		return drained{}, err
	}
	before := time.Now()
	d, err := drain(ctx, kubeconfig, n)
	if err != nil {
		return drained{}, err
	}
	pods, err := client.CoreV1().Pods(drainNamespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return drained{}, err
	}
	for _, pod := range pods.Items {
		if pod.CreationTimestamp.Time.Before(before.Truncate(time.Second)) {
			return drained{}, fmt.Errorf("pod %s was not drained from %s", pod.Name, pod.Spec.NodeName)
		}
	}
	return d, nil
}

func prepareDrains(ctx context.Context, c *cluster.Cluster, client kubernetes.Interface) error {
	return errors.Join(
		addNodes(ctx, client, "drain", "full", drainNodes, podsOnNode),
		addNodes(ctx, client, "drain", "spare", drainNodes, 2*podsOnNode),
		c.Apply(ctx, []byte(namespace("bench-witness")+deployment("bench-witness", "witness", "", 2))),
		awaitReady(ctx, client, "bench-witness"),
	)
}

// fillNodes makes all pods and budgets anew, with the nodes that will be
// drained full to the last place and the spare ones empty and open.
func fillNodes(ctx context.Context, c *cluster.Cluster, client kubernetes.Interface) error {
	if err := removeNamespace(ctx, client, drainNamespace); err != nil {
		return err
	}
	if err := cordon(ctx, client, "full", false); err != nil {
		return err
	}
	if err := cordon(ctx, client, "spare", true); err != nil {
		return err
	}
	var manifests strings.Builder
	manifests.WriteString(namespace(drainNamespace))
	for i := range workloads {
		name := fmt.Sprintf("web-%02d", i)
		manifests.WriteString(deployment(drainNamespace, name, "drain", replicas))
		fmt.Fprintf(&manifests, `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {namespace: %s, name: %[2]s}
spec: {maxUnavailable: %[3]s, selector: {matchLabels: {app: %[2]s}}}
---
`, drainNamespace, name, maxUnavailable)
	}
	if err := c.Apply(ctx, []byte(manifests.String())); err != nil {
		return err
	}
	if err := awaitReady(ctx, client, drainNamespace); err != nil {
		return err
	}
	if err := awaitBudgets(ctx, client); err != nil {
		return err
	}
	return cordon(ctx, client, "spare", false)
}

func removeNamespace(ctx context.Context, client kubernetes.Interface, name string) error {
	err := client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, 250*time.Millisecond, 5*time.Minute, false, func(ctx context.Context) (bool, error) {
		_, err := client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
}

func cordon(ctx context.Context, client kubernetes.Interface, side string, closed bool) error {
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: sideLabel + "=" + side})
	if err != nil {
		return err
	}
	patch := fmt.Appendf(nil, `{"spec":{"unschedulable":%v}}`, closed)
	for _, node := range nodes.Items {
		if _, err := client.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return fmt.Errorf("cordoning node %s: %w", node.Name, err)
		}
	}
	return nil
}

// awaitBudgets waits until every budget allows all that it ever will.
func awaitBudgets(ctx context.Context, client kubernetes.Interface) error {
	return wait.PollUntilContextTimeout(ctx, 250*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		budgets, err := client.PolicyV1().PodDisruptionBudgets(drainNamespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		for _, budget := range budgets.Items {
			if budget.Status.DisruptionsAllowed != allowed {
				return false, nil
			}
		}
		return len(budgets.Items) == workloads, nil
	})
}
