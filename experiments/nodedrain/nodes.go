package nodedrain

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
)

const labelControlPlane = "node-role.kubernetes.io/control-plane"

// selection is which nodes the selector matches and which of them are drained.
type selection struct {
	matched []string // all of them
	chosen  []*corev1.Node
	notes   []string // why some are no candidates
}

// chooseNodes draws the nodes. It never draws the runner's own node, nor the
// last Ready control-plane node, and refuses rather than drain fewer.
func (s *Spec) chooseNodes(ctx context.Context, env experiments.Env) (selection, error) {
	selector, err := labels.Parse(s.Selector)
	if err != nil {
		return selection{}, fmt.Errorf("reading selector %q: %w", s.Selector, err)
	}
	// All nodes are read, since the last control-plane node is only known as
	// such among all.
	var picked selection
	var candidates []*corev1.Node
	readyControlPlanes := 0
	hint := kube.NewLabelHint(selector)
	seen := map[string]bool{}
	_, err = kube.Each(ctx, env.Client.CoreV1().Nodes(), metav1.ListOptions{}, func(node *corev1.Node) error {
		if seen[node.Name] {
			return nil
		}
		seen[node.Name] = true
		hint.Add(node.Labels)
		if controlPlane(node) && nodeReady(node) {
			readyControlPlanes++
		}
		if !selector.Matches(labels.Set(node.Labels)) {
			return nil
		}
		picked.matched = append(picked.matched, node.Name)
		switch {
		case env.RunnerNode != "" && node.Name == env.RunnerNode:
			picked.notes = append(picked.notes, fmt.Sprintf("%s is left out: this run itself runs there", node.Name))
		case !nodeReady(node):
			picked.notes = append(picked.notes, fmt.Sprintf("%s is left out: it is not Ready", node.Name))
		default:
			candidates = append(candidates, node)
		}
		return nil
	})
	if err != nil {
		return selection{}, fmt.Errorf("listing nodes: %w", err)
	}
	if len(picked.matched) == 0 {
		return selection{}, refusal.New(fmt.Sprintf("of the %d nodes, %s", len(seen), hint), "no node matches %q", s.Selector)
	}

	count, err := kube.Count(s.Count, len(candidates))
	if err != nil {
		return selection{}, err
	}
	slices.SortFunc(candidates, func(a, b *corev1.Node) int { return strings.Compare(a.Name, b.Name) })
	env.Rand.Shuffle(len(candidates), func(i, j int) { candidates[i], candidates[j] = candidates[j], candidates[i] })
	for _, node := range candidates {
		if len(picked.chosen) == count {
			break
		}
		if controlPlane(node) {
			if readyControlPlanes == 1 {
				picked.notes = append(picked.notes, fmt.Sprintf("%s is left out: it would be the last control-plane node", node.Name))
				continue
			}
			readyControlPlanes--
		}
		picked.chosen = append(picked.chosen, node)
	}
	slices.Sort(picked.notes)
	if len(picked.chosen) < count || count == 0 {
		return selection{}, refusal.New("lower count, or widen the selector",
			"%q matches %d nodes (%s), %d of them can be drained, the step wants %d%s", s.Selector,
			len(picked.matched), strings.Join(picked.matched, ", "), len(picked.chosen), max(count, 1), because(picked.notes))
	}
	return picked, nil
}

func because(notes []string) string {
	if len(notes) == 0 {
		return ""
	}
	return ": " + strings.Join(notes, "; ")
}

func controlPlane(node *corev1.Node) bool {
	_, ok := node.Labels[labelControlPlane]
	return ok
}

func nodeReady(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
