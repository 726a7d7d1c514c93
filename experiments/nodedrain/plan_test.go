package nodedrain

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/fake"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/refusal"
)

func node(name string, change ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name), Labels: map[string]string{"pool": "a"}},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
	for _, c := range change {
		c(n)
	}
	return n
}

func nodeNotReady(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionUnknown }
func isControlPlane(n *corev1.Node) {
	n.Labels[labelControlPlane] = ""
}
func cordoned(n *corev1.Node) { n.Spec.Unschedulable = true }

// managed makes a running pod on node n1 that a controller of that kind owns.
func managed(kind string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "example.com/v1", Kind: kind, Name: "x", UID: "x", Controller: new(true)}}
	}
}

func pod(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID("uid-" + name)},
		Spec:       corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Image: "registry/app:1"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func scratch(p *corev1.Pod) {
	p.Spec.Volumes = []corev1.Volume{{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
}
func mirror(p *corev1.Pod)      { p.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: "x"} }
func finished(p *corev1.Pod)    { p.Status.Phase = corev1.PodSucceeded }
func terminating(p *corev1.Pod) { p.DeletionTimestamp, p.Finalizers = &metav1.Time{}, []string{"x"} }
func image(name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].Image = name }
}

func value(text string) *intstr.IntOrString {
	v := intstr.Parse(text)
	return &v
}

func testEnv(objects ...runtime.Object) experiments.Env {
	return experiments.Env{
		Client: fake.NewClientset(objects...),
		RunID:  "run-1",
		Rand:   rand.New(rand.NewPCG(1, 1)),
		Limits: experiments.Limits{Namespaces: []string{"shop"}, MaxNodes: 3},
	}
}

func TestChooseNodes(t *testing.T) {
	tests := map[string]struct {
		selector, count, runner string
		nodes                   []runtime.Object
		chosen                  int
		never                   string // must not be chosen
		refusal                 string
	}{
		"one of two":               {selector: "pool=a", nodes: []runtime.Object{node("n1"), node("n2")}, chosen: 1},
		"all":                      {selector: "pool=a", count: "all", nodes: []runtime.Object{node("n1"), node("n2")}, chosen: 2},
		"half, rounded up":         {selector: "pool=a", count: "50%", nodes: []runtime.Object{node("n1"), node("n2"), node("n3")}, chosen: 2},
		"a cordoned one will do":   {selector: "pool=a", nodes: []runtime.Object{node("n1", cordoned)}, chosen: 1},
		"none":                     {selector: "pool=b", nodes: []runtime.Object{node("n1")}, refusal: `no node matches "pool=b"`},
		"too few":                  {selector: "pool=a", count: "2", nodes: []runtime.Object{node("n1")}, refusal: "the step wants 2"},
		"not the runner's":         {selector: "pool=a", runner: "n1", nodes: []runtime.Object{node("n1"), node("n2")}, chosen: 1, never: "n1"},
		"only the runner's":        {selector: "pool=a", runner: "n1", nodes: []runtime.Object{node("n1")}, refusal: "this run itself runs there"},
		"not one that is down":     {selector: "pool=a", nodes: []runtime.Object{node("n1", nodeNotReady), node("n2")}, chosen: 1, never: "n1"},
		"not the last of its kind": {selector: "pool=a", nodes: []runtime.Object{node("n1", isControlPlane), node("n2")}, chosen: 1, never: "n1"},
		"only the last of its kind": {selector: "pool=a", nodes: []runtime.Object{node("n1", isControlPlane)},
			refusal: "it would be the last control-plane node"},
		"every control-plane node": {selector: "pool=a", count: "all", nodes: []runtime.Object{node("n1", isControlPlane), node("n2", isControlPlane)},
			refusal: "it would be the last control-plane node"},
		"another that is down does not count": {selector: "pool=a", count: "1",
			nodes:   []runtime.Object{node("n1", isControlPlane), node("n2", isControlPlane, nodeNotReady)},
			refusal: "it would be the last control-plane node"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := &Spec{Selector: test.selector}
			if test.count != "" {
				s.Count = value(test.count)
			}
			env := testEnv(test.nodes...)
			env.RunnerNode = test.runner
			got, err := s.chooseNodes(t.Context(), env)
			if test.refusal != "" {
				if refused, ok := refusal.As(err); !ok || !strings.Contains(refused.Reason, test.refusal) || refused.Hint == "" {
					t.Fatalf("got %v, want a refusal with %q and a hint", err, test.refusal)
				}
				return
			}
			if err != nil || len(got.chosen) != test.chosen {
				t.Fatalf("got %v, %v, want %d nodes", got.chosen, err, test.chosen)
			}
			for _, node := range got.chosen {
				if node.Name == test.never {
					t.Errorf("chose %s", node.Name)
				}
			}
		})
	}
}

func TestClassify(t *testing.T) {
	tests := map[string]struct {
		spec Spec
		pod  *corev1.Pod
		want class
		why  string
	}{
		"managed":                  {Spec{}, pod("a", managed("ReplicaSet")), evict, ""},
		"of a DaemonSet":           {Spec{}, pod("a", managed("DaemonSet")), stays, ""},
		"static":                   {Spec{}, pod("a", mirror), stays, ""},
		"terminating":              {Spec{}, pod("a", terminating), leaving, ""},
		"finished":                 {Spec{}, pod("a", finished, scratch), evict, ""},
		"unmanaged":                {Spec{}, pod("a"), refused, "no controller brings it back"},
		"unmanaged, meant":         {Spec{Unmanaged: "evict"}, pod("a"), evict, ""},
		"emptyDir":                 {Spec{}, pod("a", managed("ReplicaSet"), scratch), refused, `loses emptyDir volume "tmp"`},
		"emptyDir, meant":          {Spec{EmptyDirData: "delete"}, pod("a", managed("ReplicaSet"), scratch), evict, ""},
		"both":                     {Spec{}, pod("a", scratch), refused, `no controller brings it back, loses emptyDir volume "tmp"`},
		"both, one of them meant":  {Spec{Unmanaged: "evict"}, pod("a", scratch), refused, `loses emptyDir volume "tmp"`},
		"terminating and unwanted": {Spec{}, pod("a", terminating, scratch), leaving, ""},
	}
	for name, test := range tests {
		if got, why := test.spec.classify(test.pod); got != test.want || why != test.why {
			t.Errorf("%s: got %v %q, want %v %q", name, got, why, test.want, test.why)
		}
	}
}

func TestPlanNamesEveryOffender(t *testing.T) {
	_, err := (&Spec{Selector: "pool=a"}).Plan(t.Context(), testEnv(node("n1"),
		pod("bare"), pod("fine", managed("Custom")), pod("cache", managed("Custom"), scratch)))
	refused, ok := refusal.As(err)
	if !ok {
		t.Fatalf("got %v, want a refusal", err)
	}
	for _, part := range []string{"shop/bare (no controller brings it back)", `shop/cache (loses emptyDir volume "tmp")`} {
		if !strings.Contains(refused.Reason, part) {
			t.Errorf("%q is not in %q", part, refused.Reason)
		}
	}
	if strings.Contains(refused.Reason, "shop/fine") {
		t.Errorf("shop/fine is no offender: %q", refused.Reason)
	}
}

func TestPlan(t *testing.T) {
	other := pod("other", managed("Custom"), image("quay.io/prometheus/prometheus:v3"))
	other.Namespace = "monitoring"
	objects := []runtime.Object{
		node("n1", cordoned), pod("web", managed("Custom")), other,
		pod("agent", managed("DaemonSet")), pod("going", managed("Custom"), terminating),
	}
	plan, err := (&Spec{Selector: "pool=a"}).Plan(t.Context(), testEnv(objects...))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, target := range plan.Targets {
		names = append(names, target.Kind+" "+target.String())
	}
	if want := []string{"Node n1", "Pod monitoring/other", "Pod shop/web"}; !slices.Equal(names, want) {
		t.Errorf("targets %v, want %v", names, want)
	}
	notes := strings.Join(plan.Notes, "\n")
	for _, part := range []string{"n1 is cordoned already", "1 of DaemonSets and static pods stay", "waits for 1", "touches namespaces monitoring, shop"} {
		if !strings.Contains(notes, part) {
			t.Errorf("%q is not among the notes:\n%s", part, notes)
		}
	}
	if len(plan.Warnings) != 1 || !strings.Contains(plan.Warnings[0], "Prometheus runs on n1") {
		t.Errorf("warnings %v", plan.Warnings)
	}
	var own data
	if err := plan.GetData(&own); err != nil || len(own.Nodes) != 1 || !own.Nodes[0].WasCordoned {
		t.Errorf("data %+v, %v", own, err)
	}
}

func TestPlanHoldsLimits(t *testing.T) {
	objects := []runtime.Object{node("n1"), pod("a", managed("Custom")), pod("b", managed("Custom")), pod("ds", managed("DaemonSet"))}
	tests := map[string]struct {
		maxPods  string
		maxNodes int
		refusal  string
	}{
		"within":         {"2", 1, ""},
		"too many pods":  {"1", 1, "limits.maxPods allows 1"},
		"percent":        {"67%", 1, ""},
		"beyond percent": {"66%", 1, "limits.maxPods allows 1"},
		"too many nodes": {"2", 0, "limits.maxNodes allows 0"},
	}
	for name, test := range tests {
		env := testEnv(objects...)
		env.Limits.MaxPods, env.Limits.MaxNodes = value(test.maxPods), test.maxNodes
		_, err := (&Spec{Selector: "pool=a"}).Plan(t.Context(), env)
		refused, ok := refusal.As(err)
		if ok != (test.refusal != "") || (ok && !strings.Contains(refused.Reason, test.refusal)) {
			t.Errorf("%s: got %v, want %q", name, err, test.refusal)
		}
	}
}
