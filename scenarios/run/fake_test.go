package run

import (
	"fmt"
	"sync"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/experiments/nodedrain"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/scenarios"
)

// allowed is a fake cluster in which everybody may do anything.
func allowed(objects ...runtime.Object) *fake.Clientset {
	client := fake.NewClientset(objects...)
	client.PrependReactor("create", "selfsubjectaccessreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &authorizationv1.SelfSubjectAccessReview{Status: authorizationv1.SubjectAccessReviewStatus{Allowed: true}}, nil
	})
	return client
}

func node(name, cordonedBy string) *corev1.Node {
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-of-" + name), Labels: map[string]string{"pool": "worker"}},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
	if cordonedBy != "" {
		node.Labels[experiments.LabelRun] = cordonedBy
		node.Spec.Unschedulable = true
	}
	return node
}

// drained is an entry of a drain of one node.
func drained(order int, name string) entry {
	return entry{
		Order: order,
		Step:  scenarios.Step{Name: "drain-" + name, NodeDrain: &nodedrain.Spec{Selector: "pool=worker"}},
		Plan: experiments.Plan{
			Targets: []journal.Target{{Kind: "Node", Name: name}},
			Data:    fmt.Appendf(nil, `{"nodes":[{"name":%q,"uid":"uid-of-%s"}]}`, name, name),
		},
	}
}

// openLedger makes the ledger of run-1 with these entries.
func openLedger(t *testing.T, client *fake.Clientset, entries ...entry) *ledger {
	t.Helper()
	l := &ledger{client: client, id: "run-1"}
	if err := l.open(t.Context(), header{ID: "run-1", Scenario: "drill", Host: "laptop", Started: time.Now(), Format: ledgerFormat}); err != nil {
		t.Fatal(err)
	}
	if err := l.add(t.Context(), entries...); err != nil {
		t.Fatal(err)
	}
	return l
}

// notes is a journal.Recorder that keeps how each undo ended.
type notes struct {
	mu     sync.Mutex
	undone map[string]journal.Undone
}

func (n *notes) forStep(step string) journal.Recorder {
	return recorderFunc(func(_ string, payload any) {
		n.mu.Lock()
		defer n.mu.Unlock()
		if undone, ok := payload.(journal.Undone); ok {
			if n.undone == nil {
				n.undone = map[string]journal.Undone{}
			}
			n.undone[step] = undone
		}
	})
}

type recorderFunc func(kind string, payload any)

func (f recorderFunc) Record(kind string, payload any) { f(kind, payload) }
