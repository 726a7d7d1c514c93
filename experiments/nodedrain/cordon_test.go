package nodedrain

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
)

// Undo lifts the cordon that this run made and no other.
func TestOnlyOurCordonIsLifted(t *testing.T) {
	labelled := func(run string) func(*corev1.Node) {
		return func(n *corev1.Node) { n.Labels[experiments.LabelRun] = run }
	}
	tests := map[string]struct {
		was     cordon
		now     []runtime.Object
		summary string
		stays   bool // cordoned afterwards
		label   string
	}{
		"ours":                      {cordon{Name: "n1", UID: "uid-n1"}, []runtime.Object{node("n1", cordoned, labelled("run-1"))}, "n1 uncordoned", false, ""},
		"cordoned before":           {cordon{Name: "n1", UID: "uid-n1", WasCordoned: true}, []runtime.Object{node("n1", cordoned)}, "", true, ""},
		"ours after all":            {cordon{Name: "n1", UID: "uid-n1", WasCordoned: true}, []runtime.Object{node("n1", cordoned, labelled("run-1"))}, "n1 uncordoned", false, ""},
		"cordoned by someone else":  {cordon{Name: "n1", UID: "uid-n1"}, []runtime.Object{node("n1", cordoned)}, "", true, ""},
		"cordoned by another run":   {cordon{Name: "n1", UID: "uid-n1"}, []runtime.Object{node("n1", cordoned, labelled("run-0"))}, "", true, "run-0"},
		"uncordoned by hand":        {cordon{Name: "n1", UID: "uid-n1"}, []runtime.Object{node("n1", labelled("run-1"))}, "", false, ""},
		"before the cordon":         {cordon{Name: "n1", UID: "uid-n1"}, []runtime.Object{node("n1")}, "", false, ""},
		"the node is gone":          {cordon{Name: "n1", UID: "uid-n1"}, nil, "", false, ""},
		"the node is another's now": {cordon{Name: "n1", UID: "uid-old"}, []runtime.Object{node("n1", cordoned, labelled("run-1"))}, "", true, "run-1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			env := testEnv(test.now...)
			var plan experiments.Plan
			if err := plan.SetData(data{Nodes: []cordon{test.was}}); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{test.summary, ""} { // the second time finds nothing to do
				got, err := (&Spec{}).Undo(t.Context(), env, plan)
				if err != nil || got != want {
					t.Fatalf("got %q, %v, want %q", got, err, want)
				}
			}
			after, err := env.Client.CoreV1().Nodes().Get(t.Context(), "n1", metav1.GetOptions{})
			if len(test.now) == 0 {
				return
			}
			if err != nil || after.Spec.Unschedulable != test.stays || after.Labels[experiments.LabelRun] != test.label {
				t.Errorf("cordoned %v with label %q, %v; want %v, %q", after.Spec.Unschedulable, after.Labels[experiments.LabelRun], err, test.stays, test.label)
			}
		})
	}
}

func TestCordonMarksOnlyItsOwn(t *testing.T) {
	for name, test := range map[string]struct {
		node  *corev1.Node
		label string
	}{
		"free":     {node("n1"), "run-1"},
		"cordoned": {node("n1", cordoned), ""},
	} {
		env := testEnv(test.node)
		if err := (cordon{Name: "n1", UID: "uid-n1"}).apply(t.Context(), env); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		after, err := env.Client.CoreV1().Nodes().Get(t.Context(), "n1", metav1.GetOptions{})
		if err != nil || !after.Spec.Unschedulable || after.Labels[experiments.LabelRun] != test.label {
			t.Errorf("%s: cordoned %v with label %q, %v", name, after.Spec.Unschedulable, after.Labels[experiments.LabelRun], err)
		}
	}
}

func TestUndoInsists(t *testing.T) {
	nodes := schema.GroupResource{Resource: "nodes"}
	tests := map[string]struct {
		answers []error
		left    string
	}{
		"conflicts":       {[]error{apierrors.NewConflict(nodes, "n1", errors.New("changed"))}, ""},
		"API server away": {[]error{errors.New("connection refused"), errors.New("connection refused")}, ""},
		"etcd's leader":   {[]error{apierrors.NewInternalError(errors.New("etcdserver: leader changed"))}, ""},
		"not allowed":     {[]error{apierrors.NewForbidden(nodes, "n1", errors.New("no"))}, "kubectl uncordon n1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := fake.NewClientset(node("n1", cordoned, func(n *corev1.Node) { n.Labels[experiments.LabelRun] = "run-1" }))
				client.PrependReactor("patch", "nodes", func(clienttesting.Action) (bool, runtime.Object, error) {
					if len(test.answers) == 0 {
						return false, nil, nil
					}
					err := test.answers[0]
					test.answers = test.answers[1:]
					return true, nil, err
				})
				var plan experiments.Plan
				if err := plan.SetData(data{Nodes: []cordon{{Name: "n1", UID: "uid-n1"}}}); err != nil {
					t.Fatal(err)
				}
				_, err := (&Spec{}).Undo(t.Context(), experiments.Env{Client: client, RunID: "run-1"}, plan)
				if (err == nil) != (test.left == "") || (err != nil && !strings.Contains(err.Error(), test.left)) {
					t.Errorf("got %v, want %q", err, test.left)
				}
			})
		})
	}
}
