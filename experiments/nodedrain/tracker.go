package nodedrain

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

// resident is all that a drain remembers of a pod on one of its nodes. Pods
// that stay are not remembered.
type resident struct {
	pod        kube.PodRef
	node       string
	class      class
	why        string // it is refused
	lane       string // the budgets that guard it
	finalizers []string
	grace      int64 // seconds
}

func (r resident) target() journal.Target {
	return journal.Target{Kind: "Pod", Namespace: r.pod.Namespace, Name: r.pod.Name, UID: string(r.pod.UID), Node: r.node}
}

// tracker knows which pods are on the nodes, by one watch for each node.
type tracker struct {
	mu      sync.Mutex
	nodes   map[string]map[types.UID]resident // nil until the node was first seen
	err     error
	changed chan struct{} // closed at the next change
}

func newTracker(nodes []cordon) *tracker {
	t := &tracker{nodes: map[string]map[types.UID]resident{}, changed: make(chan struct{})}
	for _, node := range nodes {
		t.nodes[node.Name] = nil
	}
	return t
}

// follow keeps one node's pods current until ctx ends.
func (t *tracker) follow(ctx context.Context, client kubernetes.Interface, node string, look func(*corev1.Pod) resident, lost func(error)) {
	err := kube.Follow(ctx, client.CoreV1().Pods(metav1.NamespaceAll),
		kube.FollowOptions{FieldSelector: onNode(node), Lost: lost},
		func(pod *corev1.Pod) (resident, bool) {
			r := look(pod)
			return r, r.class != stays
		},
		func(view map[types.UID]resident) bool {
			t.change(func() { t.nodes[node] = maps.Clone(view) })
			return false
		})
	if ctx.Err() == nil {
		t.change(func() { t.err = fmt.Errorf("watching pods on node %s: %w", node, err) })
	}
}

func (t *tracker) change(apply func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	apply()
	close(t.changed)
	t.changed = make(chan struct{})
}

// await waits until every node was seen and enough holds of their residents.
func (t *tracker) await(ctx context.Context, enough func([]resident) bool) error {
	for {
		t.mu.Lock()
		residents, complete := t.list()
		err, changed := t.err, t.changed
		t.mu.Unlock()
		if err != nil {
			return err
		}
		if complete && enough(residents) {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
		}
	}
}

// residents lists who is there now, sorted.
func (t *tracker) residents() []resident {
	t.mu.Lock()
	residents, _ := t.list()
	t.mu.Unlock()
	slices.SortFunc(residents, func(a, b resident) int {
		return cmp.Or(strings.Compare(a.pod.Namespace, b.pod.Namespace), strings.Compare(a.pod.Name, b.pod.Name))
	})
	return residents
}

// list does not sort: await calls it for every change on a node.
func (t *tracker) list() (residents []resident, complete bool) {
	complete = true
	for _, view := range t.nodes {
		complete = complete && view != nil
		for _, r := range view {
			residents = append(residents, r)
		}
	}
	return residents, complete
}

// left says that a pod is on none of the nodes.
func (t *tracker) left(uid types.UID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, view := range t.nodes {
		if _, ok := view[uid]; ok {
			return false
		}
	}
	return true
}
