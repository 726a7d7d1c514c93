package podkill

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/refusal"
)

// pod makes a running pod of namespace shop with label app=web.
func pod(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID("uid-" + name), Labels: map[string]string{"app": "web"}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func label(key, value string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels[key] = value }
}

func terminating(p *corev1.Pod) {
	p.DeletionTimestamp = &metav1.Time{}
	p.Finalizers = []string{"x"}
}

func finished(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }

func static(p *corev1.Pod) { p.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: "x"} }

func env(seed uint64, pods ...runtime.Object) experiments.Env {
	return experiments.Env{
		Client: fake.NewClientset(pods...),
		Rand:   rand.New(rand.NewPCG(seed, 0)),
		Limits: experiments.Limits{Namespaces: []string{"shop"}},
	}
}

func spec(count string) *Spec {
	s := &Spec{Namespace: "shop", Selector: "app=web"}
	if count != "" {
		s.Count = intOrString(count)
	}
	return s
}

func TestPlanCandidates(t *testing.T) {
	three := []runtime.Object{pod("a"), pod("b"), pod("c")}
	tests := map[string]struct {
		spec    *Spec
		pods    []runtime.Object
		maxPods string
		targets int
		refusal string // part of it
		hint    string
	}{
		"one of three":          {spec: spec(""), pods: three, targets: 1},
		"half, rounded up":      {spec: spec("50%"), pods: three, targets: 2},
		"a percent is never 0":  {spec: spec("1%"), pods: three, targets: 1},
		"all":                   {spec: spec("all"), pods: three, targets: 3},
		"more than there are":   {spec: spec("4"), pods: three, refusal: "matches 3 candidates, the step wants 4: a, b, c"},
		"within limits":         {spec: spec("1"), pods: three, maxPods: "34%", targets: 1},
		"beyond limits":         {spec: spec("2"), pods: three, maxPods: "1", refusal: "limits.maxPods allows 1"},
		"beyond percent":        {spec: spec("1"), pods: three, maxPods: "33%", refusal: "limits.maxPods allows 0"},
		"terminating is none":   {spec: spec("all"), pods: []runtime.Object{pod("a"), pod("b", terminating)}, targets: 1},
		"finished is none":      {spec: spec("all"), pods: []runtime.Object{pod("a"), pod("b", finished)}, targets: 1},
		"static is none":        {spec: spec("all"), pods: []runtime.Object{pod("a"), pod("b", static)}, targets: 1},
		"only terminating":      {spec: spec(""), pods: []runtime.Object{pod("a", terminating)}, refusal: "matches 0 candidates, the step wants 1 (left out: 1 terminating)"},
		"all of none":           {spec: spec("all"), pods: []runtime.Object{pod("a", finished)}, refusal: "matches 0 candidates"},
		"finished don't widen":  {spec: spec("1"), pods: []runtime.Object{pod("a"), pod("b", finished), pod("c", finished)}, maxPods: "50%", refusal: "limits.maxPods allows 0"},
		"excluded before count": {spec: &Spec{Namespace: "shop", Selector: "app=web", Exclude: "role=leader", Count: intOrString("2")}, pods: []runtime.Object{pod("a"), pod("b", label("role", "leader"))}, refusal: "matches 1 candidates, the step wants 2: a (left out: 1 excluded)"},
		"matches nothing":       {spec: &Spec{Namespace: "shop", Selector: "app=wep"}, pods: three, refusal: `no pod in namespace shop matches "app=wep"`, hint: "label app is one of web"},
		"no such label":         {spec: &Spec{Namespace: "shop", Selector: "tier=x"}, pods: three, refusal: "no pod", hint: "none has the label tier"},
		"empty namespace":       {spec: spec(""), refusal: "no pod", hint: "namespace shop has no pods at all"},
		"namespace not allowed": {spec: &Spec{Namespace: "prod", Selector: "app=web"}, pods: three, refusal: "outside limits.namespaces"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			env := env(1, test.pods...)
			if test.maxPods != "" {
				env.Limits.MaxPods = intOrString(test.maxPods)
			}
			plan, err := test.spec.Plan(t.Context(), env)
			if test.refusal == "" {
				if err != nil || len(plan.Targets) != test.targets || plan.Pods != test.targets {
					t.Fatalf("got %d targets, %v, want %d", len(plan.Targets), err, test.targets)
				}
				return
			}
			refused, ok := refusal.As(err)
			if !ok || !strings.Contains(refused.Reason, test.refusal) {
				t.Fatalf("got %v, want a refusal with %q", err, test.refusal)
			}
			if refused.Hint == "" || !strings.Contains(refused.Hint, test.hint) {
				t.Errorf("hint %q, want %q in it", refused.Hint, test.hint)
			}
		})
	}
}

func TestTheSeedDecides(t *testing.T) {
	var pods, reversed []runtime.Object
	for i := range 20 {
		pods = append(pods, pod(fmt.Sprintf("web-%02d", i)))
	}
	for _, p := range slices.Backward(pods) {
		reversed = append(reversed, p)
	}
	chosen := func(seed uint64, pods []runtime.Object) string {
		plan, err := spec("3").Plan(t.Context(), env(seed, pods...))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(plan.Targets)
	}
	if chosen(7, pods) != chosen(7, reversed) {
		t.Error("the same seed chose other pods when they were listed in another order")
	}
	if chosen(7, pods) == chosen(8, pods) {
		t.Error("another seed chose the same pods")
	}
}

// The pod of a Job is waited for though none of the workloads brings it back.
func TestPlanKnowsStrays(t *testing.T) {
	job := func(p *corev1.Pod) {
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: "j", UID: "j", Controller: new(true)}}
	}
	plan, err := spec("").Plan(t.Context(), env(1, pod("task", job)))
	if err != nil {
		t.Fatal(err)
	}
	var own data
	if err := plan.GetData(&own); err != nil || !own.Strays || len(own.Workloads) != 0 {
		t.Errorf("got %+v, %v; want a stray and no workload", own, err)
	}
}

func TestPlanWarnsOfPodsThatNeverReturn(t *testing.T) {
	plan, err := spec("").Plan(t.Context(), env(1, pod("bare")))
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Warnings) != 1 || !strings.Contains(plan.Warnings[0], "shop/bare has no controller") {
		t.Errorf("got %v", plan.Warnings)
	}
}
