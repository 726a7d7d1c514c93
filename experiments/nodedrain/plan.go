package nodedrain

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
)

// data is the experiment's own part of the plan.
type data struct {
	Nodes     []cordon        `json:"nodes"`
	Workloads []kube.Workload `json:"workloads,omitempty"`
	// Volumes are the PersistentVolumes of the pods to be evicted: each must
	// leave its node before another node can have it.
	Volumes []string `json:"volumes,omitempty"`
}

// Plan chooses the nodes and reads what runs on them. All that speaks against
// the drain is said at once.
func (s *Spec) Plan(ctx context.Context, env experiments.Env) (experiments.Plan, error) {
	nodes, err := s.chooseNodes(ctx, env)
	if err != nil {
		return experiments.Plan{}, err
	}
	if err := env.Limits.AllowNodes(len(nodes.chosen)); err != nil {
		return experiments.Plan{}, err
	}

	plan := experiments.Plan{Nodes: len(nodes.chosen), Notes: nodes.notes}
	var own data
	var victims []*corev1.Pod
	var refusals []string
	for _, node := range nodes.chosen {
		plan.Targets = append(plan.Targets, journal.Target{Kind: "Node", Name: node.Name, UID: string(node.UID)})
		own.Nodes = append(own.Nodes, cordon{Name: node.Name, UID: node.UID, WasCordoned: node.Spec.Unschedulable})
		if node.Spec.Unschedulable {
			plan.Notes = append(plan.Notes, node.Name+" is cordoned already and stays so afterwards")
		}
		load, err := s.readNode(ctx, env, node.Name)
		if err != nil {
			return experiments.Plan{}, err
		}
		victims = append(victims, load.victims...)
		refusals = append(refusals, load.refusals...)
		plan.Notes = append(plan.Notes, load.String())
		plan.Warnings = append(plan.Warnings, load.warnings...)
	}
	for _, pod := range victims {
		plan.Targets = append(plan.Targets, journal.Target{
			Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: string(pod.UID), Node: pod.Spec.NodeName,
		})
	}
	plan.Pods = len(victims)
	if len(victims) > 0 {
		plan.Notes = append(plan.Notes, "touches namespaces "+strings.Join(namespacesOf(victims), ", "))
	}
	if plan.Matched, err = s.countMatched(ctx, env, nodes.matched, plan.Pods); err != nil {
		return experiments.Plan{}, err
	}

	forecast, err := s.forecast(ctx, env, victims, &plan)
	if err != nil {
		return experiments.Plan{}, err
	}
	// The plan goes along with a refusal: `gameday plan` shows both.
	if err := s.refuse(append(refusals, forecast...)); err != nil {
		return plan, err
	}
	if err := env.Limits.AllowPods(plan.Pods, plan.Matched); err != nil {
		return plan, err
	}
	if own.Workloads, err = kube.Workloads(ctx, env.Client, victims); err != nil {
		return experiments.Plan{}, err
	}
	if own.Volumes, err = volumesOf(ctx, env.Client, victims); err != nil {
		return experiments.Plan{}, err
	}
	return plan, plan.SetData(own)
}

// refuse names every pod that speaks against the drain, not only the last.
func (s *Spec) refuse(pods []string) error {
	if len(pods) == 0 {
		return nil
	}
	return refusal.New("say so in the step where it is meant: `unmanaged: evict`, `emptyDirData: delete`; give each pod one PodDisruptionBudget at most",
		"the drain would lose or can't evict %s", strings.Join(pods, "; "))
}

// forecast adds what the budgets would say, and returns the pods that can't be evicted at all.
func (s *Spec) forecast(ctx context.Context, env experiments.Env, victims []*corev1.Pod, plan *experiments.Plan) ([]string, error) {
	budgets, err := kube.ListBudgets(ctx, env.Client, metav1.NamespaceAll)
	if err != nil {
		return nil, err
	}
	forecast, err := kube.ForecastEvictions(ctx, env.Client, budgets, victims)
	if err != nil {
		return nil, err
	}
	plan.Notes = append(plan.Notes, forecast.Notes...)
	plan.Warnings = append(plan.Warnings, forecast.Warnings...)
	var impossible []string
	for _, pod := range forecast.Impossible {
		impossible = append(impossible, pod+": the eviction API supports one budget for each pod")
	}
	if s.Expect == ExpectBlocked {
		plan.Warnings = append(plan.Warnings, impossible...)
		return nil, nil
	}
	return impossible, nil
}

// load is what runs on one node.
type load struct {
	node     string
	victims  []*corev1.Pod // sorted by namespace and name
	refusals []string
	warnings []string
	stays    int
	leaving  int
}

func (l load) String() string {
	text := fmt.Sprintf("%s: evicts %d pods, %d of DaemonSets and static pods stay", l.node, len(l.victims), l.stays)
	if l.leaving > 0 {
		text += fmt.Sprintf(", waits for %d that terminate already", l.leaving)
	}
	return text
}

func (s *Spec) readNode(ctx context.Context, env experiments.Env, name string) (load, error) {
	found := load{node: name}
	seen := map[types.UID]bool{}
	_, err := kube.Each(ctx, env.Client.CoreV1().Pods(metav1.NamespaceAll), metav1.ListOptions{FieldSelector: onNode(name)}, func(pod *corev1.Pod) error {
		if seen[pod.UID] {
			return nil
		}
		seen[pod.UID] = true
		class, why := s.classify(pod)
		switch class {
		case stays:
			found.stays++
			return nil
		case leaving:
			found.leaving++
			return nil
		case refused:
			found.refusals = append(found.refusals, fmt.Sprintf("%s (%s)", kube.RefOf(pod), why))
		}
		found.victims = append(found.victims, pod)
		if what := witness(pod); what != "" {
			found.warnings = append(found.warnings, fmt.Sprintf("%s runs on %s (%s): its evidence may have a gap while it moves", what, name, kube.RefOf(pod)))
		}
		return nil
	})
	if err != nil {
		return load{}, fmt.Errorf("listing pods on node %s: %w", name, err)
	}
	slices.SortFunc(found.victims, func(a, b *corev1.Pod) int {
		return strings.Compare(kube.RefOf(a).String(), kube.RefOf(b).String())
	})
	slices.Sort(found.refusals)
	return found, nil
}

func onNode(name string) string { return fields.OneTermEqualSelector("spec.nodeName", name).String() }

// countMatched counts the pods alive on all nodes that the selector matches,
// the base of a limit in percent. Without such a limit nobody needs it, and
// counting means reading every pod.
func (s *Spec) countMatched(ctx context.Context, env experiments.Env, nodes []string, pods int) (int, error) {
	if env.Limits.MaxPods == nil || env.Limits.MaxPods.Type != intstr.String {
		return pods, nil
	}
	alive := map[types.UID]bool{}
	_, err := kube.Each(ctx, env.Client.CoreV1().Pods(metav1.NamespaceAll), metav1.ListOptions{}, func(pod *corev1.Pod) error {
		if slices.Contains(nodes, pod.Spec.NodeName) && !kube.Finished(pod) && !kube.Terminating(pod) {
			alive[pod.UID] = true
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("listing pods: %w", err)
	}
	return len(alive), nil
}

func namespacesOf(pods []*corev1.Pod) []string {
	var names []string
	for _, pod := range pods {
		names = append(names, pod.Namespace)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
