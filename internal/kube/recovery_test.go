package kube

import (
	"context"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
)

var appWeb = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}

// webPod is a pod of ReplicaSet web-1, Ready unless told otherwise.
func webPod(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: name, UID: types.UID(name), Labels: appWeb.MatchLabels,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-1", UID: "rs", Controller: new(true)}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func notReady(p *corev1.Pod) { p.Status.Conditions = nil }
func terminating(p *corev1.Pod) {
	p.DeletionTimestamp = &metav1.Time{Time: time.Unix(100, 0)}
	p.Finalizers = []string{"x"}
}
func young(p *corev1.Pod) { p.CreationTimestamp = metav1.Unix(200, 0) }

func webWorkload(ready int) Workload {
	return Workload{Kind: "Deployment", Namespace: "shop", Name: "web", UID: "d", Selector: "app=web", Ready: ready}
}

func TestWorkloads(t *testing.T) {
	owned := func(kind string, uid types.UID, apiVersion string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.OwnerReferences = []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: "owner", UID: uid, Controller: new(true)}}
		}
	}
	custom := webPod("custom", owned("CloneSet", "c", "apps.kruise.io/v1"))
	client := fake.NewClientset(
		&appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1", UID: "rs",
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "web", UID: "d", Controller: new(true)}}}},
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "d"},
			Spec: appsv1.DeploymentSpec{Selector: appWeb}, Status: appsv1.DeploymentStatus{ReadyReplicas: 3}},
		&appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "store", UID: "s"},
			Spec: appsv1.StatefulSetSpec{Selector: appWeb}, Status: appsv1.StatefulSetStatus{ReadyReplicas: 2}},
		&appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "alone", UID: "r"},
			Spec: appsv1.ReplicaSetSpec{Selector: appWeb}, Status: appsv1.ReplicaSetStatus{ReadyReplicas: 1}},
		custom,
	)
	got, err := Workloads(t.Context(), client, []*corev1.Pod{
		webPod("a"), webPod("b"), custom,
		webPod("store-0", owned("StatefulSet", "s", "apps/v1")),
		webPod("alone-x", owned("ReplicaSet", "r", "apps/v1")),
		webPod("job", owned("Job", "j", "batch/v1")),
		webPod("bare", func(p *corev1.Pod) { p.OwnerReferences = nil }),
		webPod("over", func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }, owned("ReplicaSet", "gone", "apps/v1")),
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ready := 0
	for _, workload := range got {
		names = append(names, workload.String())
		ready += workload.Ready
	}
	want := []string{"CloneSet shop/owner", "Deployment shop/web", "ReplicaSet shop/alone", "StatefulSet shop/store"}
	if !slices.Equal(names, want) || ready != 1+3+1+2 {
		t.Errorf("got %v with %d Ready, want %v with 7", names, ready, want)
	}
}

func TestRecovery(t *testing.T) {
	taken := []PodRef{{Namespace: "shop", Name: "a", UID: "a"}}
	tests := map[string]struct {
		pods         []runtime.Object
		whole        bool
		replacements []string
		missing      []string
	}{
		"replaced":              {[]runtime.Object{webPod("b"), webPod("c", young)}, true, []string{"c"}, nil},
		"too few":               {[]runtime.Object{webPod("b")}, false, nil, []string{"Deployment shop/web has 1 of 2 Ready"}},
		"replacement not Ready": {[]runtime.Object{webPod("b"), webPod("c", young, notReady)}, false, nil, []string{"Deployment shop/web has 1 of 2 Ready"}},
		"old one still there": {
			[]runtime.Object{webPod("a", terminating), webPod("b"), webPod("c", young)}, false, []string{"c"},
			[]string{"shop/a is still terminating"},
		},
		"never taken":              {[]runtime.Object{webPod("a"), webPod("b")}, true, nil, nil},
		"another one terminating":  {[]runtime.Object{webPod("b", terminating), webPod("c", young), webPod("d", young)}, true, []string{"c", "d"}, nil},
		"the same name, other UID": {[]runtime.Object{webPod("b"), webPod("a", young, func(p *corev1.Pod) { p.UID = "a2" })}, true, []string{"a"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			recovery := Recovery{
				Client: fake.NewClientset(test.pods...), Workloads: []Workload{webWorkload(2)},
				Taken: taken, Newest: metav1.Unix(150, 0),
			}
			got, err := recovery.Wait(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if got.Whole != test.whole || !slices.Equal(got.Replacements, test.replacements) || !slices.Equal(got.Missing, test.missing) {
				t.Errorf("got %+v, want %+v", got, test)
			}
		})
	}
}
