package availability

import (
	"time"
	"unique"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// slimNode is what is kept of a node.
type slimNode struct {
	name   string
	ready  bool
	reason string
}

func reduceNode(object runtime.Object) (slimNode, bool) {
	node, ok := object.(*corev1.Node)
	if !ok {
		return slimNode{}, false
	}
	slim := slimNode{name: node.Name}
	for i := range node.Status.Conditions {
		if condition := &node.Status.Conditions[i]; condition.Type == corev1.NodeReady {
			slim.ready, slim.reason = condition.Status == corev1.ConditionTrue, condition.Reason
		}
	}
	return slim, true
}

// setNode takes in a node. Only changes of nodes that hold our pods are told.
func (t *tally) setNode(node slimNode, at time.Time) {
	before, known := t.nodes[node.name]
	t.nodes[node.name] = node
	if t.live && known && before.ready != node.ready && t.holdsOurs(node.name) {
		t.tellNode(node, at)
	}
}

func (t *tally) removeNode(node slimNode, at time.Time) {
	delete(t.nodes, node.name)
	if t.live && t.holdsOurs(node.name) {
		t.tellNode(slimNode{name: node.name, reason: "Deleted"}, at)
	}
}

func (t *tally) replaceNodes(nodes []slimNode, at time.Time) {
	present := make(map[string]struct{}, len(nodes))
	for _, node := range nodes {
		present[node.name] = struct{}{}
		t.setNode(node, at)
	}
	for name, node := range t.nodes {
		if _, ok := present[name]; !ok {
			t.removeNode(node, at)
		}
	}
}

// nodesAtFirst tells of the nodes that were not Ready from the start.
func (t *tally) nodesAtFirst(at time.Time) {
	for _, node := range t.nodes {
		if !node.ready && t.holdsOurs(node.name) {
			t.tellNode(node, at)
		}
	}
}

func (t *tally) tellNode(node slimNode, at time.Time) {
	t.record.Record(eventNode, nodeEvent{At: at, Name: node.name, Ready: node.ready, Reason: node.reason})
}

// holdsOurs looks through the pods; nodes change too rarely to keep an index.
func (t *tally) holdsOurs(node string) bool {
	on := unique.Make(node)
	for _, pod := range t.pods {
		if pod.node == on && t.counts(pod.slimPod) {
			return true
		}
	}
	return false
}
