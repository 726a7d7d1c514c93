package e2e

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

// eachChange calls do, one call at a time, for every object of a resource in a
// namespace that may not be there yet, whenever it appears or changes.
func (s *scene) eachChange(namespace string, of schema.GroupVersionResource, do func(*unstructured.Unstructured)) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(s.dynamic(), 0, namespace, nil)
	informer := factory.ForResource(of).Informer()
	seen := func(object any) {
		if one, ok := object.(*unstructured.Unstructured); ok {
			do(one)
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: seen, UpdateFunc: func(_, now any) { seen(now) }})
	s.must(err)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	s.Cleanup(func() {
		cancel()
		factory.Shutdown()
	})
}

// witness sees all that ever was in a scratch namespace, and the addresses that
// pods of the original had meanwhile.
type witness struct {
	mu        sync.Mutex
	original  map[string]string // address to pod
	ran       map[string]bool   // pod/container that ran
	addresses map[string]bool   // that any endpoint led to
	pods      map[string]bool
	every     []*unstructured.Unstructured // each object in each state
}

// watch sends a witness to a namespace that is to be made.
func (s *scene) watch(namespace string) *witness {
	s.Helper()
	w := &witness{original: map[string]string{}, ran: map[string]bool{}, addresses: map[string]bool{}, pods: map[string]bool{}}
	for _, resource := range []string{
		"v1/pods", "v1/services", "v1/endpoints", "v1/resourcequotas", "discovery.k8s.io/v1/endpointslices", "networking.k8s.io/v1/ingresses",
		"networking.k8s.io/v1/networkpolicies", "gateway.networking.k8s.io/v1/httproutes",
	} {
		s.eachChange(namespace, at(resource), w.see)
	}
	s.eachChange(s.ns, at("v1/pods"), w.seeOriginal)
	return w
}

func (w *witness) seeOriginal(object *unstructured.Unstructured) {
	var pod corev1.Pod
	if runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &pod) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ip := range pod.Status.PodIPs {
		w.original[ip.IP] = pod.Name
	}
}

func (w *witness) see(object *unstructured.Unstructured) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.every = append(w.every, object)
	switch object.GetKind() {
	case "Pod":
		var pod corev1.Pod
		if runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &pod) != nil {
			return
		}
		w.pods[pod.Name] = true
		for _, container := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
			if container.Name != "restore-wait" && (began(container.State) || began(container.LastTerminationState)) {
				w.ran[pod.Name+"/"+container.Name] = true
			}
		}
	case "EndpointSlice":
		endpoints, _, _ := unstructured.NestedSlice(object.Object, "endpoints")
		w.note(endpoints, "addresses")
	case "Endpoints":
		subsets, _, _ := unstructured.NestedSlice(object.Object, "subsets")
		for _, subset := range subsets {
			for _, list := range []string{"addresses", "notReadyAddresses"} {
				addresses, _, _ := unstructured.NestedSlice(subset.(map[string]any), list)
				w.note(addresses, "ip")
			}
		}
	}
}

// all is what was seen, each object in each state.
func (w *witness) all() []*unstructured.Unstructured {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.every)
}

func (w *witness) note(entries []any, field string) {
	for _, entry := range entries {
		switch value := entry.(map[string]any)[field].(type) {
		case string:
			w.addresses[value] = true
		case []any:
			for _, one := range value {
				w.addresses[fmt.Sprint(one)] = true
			}
		}
	}
}

// began says that a program of the image was started, and not only tried to be. Of
// a container that it never created, and that thus has no ID, a kubelet says that it
// has ended in some way when the pod is deleted.
func began(state corev1.ContainerState) bool {
	if ended := state.Terminated; ended != nil {
		return ended.ContainerID != "" && ended.Reason != "StartError" && ended.Reason != "ContainerCannotRun"
	}
	return state.Running != nil
}

// sawNothingRun wants that no container of the application ever ran.
func (w *witness) sawNothingRun(s *scene) {
	s.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.ran) > 0 {
		s.Errorf("of the quiesced copy ran: %v", slices.Sorted(maps.Keys(w.ran)))
	}
	if len(w.pods) == 0 {
		s.Error("the witness saw no pod at all, and proves nothing")
	}
}

// sawNoWayTo wants that no endpoint ever led to a pod of the original.
func (w *witness) sawNoWayTo(s *scene) {
	s.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for ip, pod := range w.original {
		if w.addresses[ip] {
			s.Errorf("an endpoint of the copy led to %s, which is the original's pod %s", ip, pod)
		}
	}
	seen := slices.ContainsFunc(w.every, func(object *unstructured.Unstructured) bool { return object.GetKind() == "EndpointSlice" })
	if len(w.original) == 0 || !seen {
		s.Errorf("the witness saw %d addresses of the original, and an EndpointSlice of the copy: %t: it proves nothing", len(w.original), seen)
	}
}

// sawItApart wants a policy and a quota that were there before any pod, the policy
// with room for nothing but the namespace itself and DNS.
func (w *witness) sawItApart(s *scene) {
	s.Helper()
	var policy networkingv1.NetworkPolicy
	var quota corev1.ResourceQuota
	var pods []*unstructured.Unstructured
	for _, object := range w.all() {
		_, ours := object.GetLabels()[labelRun]
		switch {
		case object.GetKind() == "Pod":
			pods = append(pods, object)
		case ours && object.GetKind() == "NetworkPolicy":
			s.must(runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &policy))
		case ours && object.GetKind() == "ResourceQuota":
			s.must(runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &quota))
		}
	}
	if len(pods) == 0 {
		s.Error("the witness saw no pod at all, and proves nothing")
	}
	for _, pod := range pods {
		for _, made := range []time.Time{policy.CreationTimestamp.Time, quota.CreationTimestamp.Time} {
			if made.IsZero() || made.After(pod.GetCreationTimestamp().Time) {
				s.Errorf("pod %s was there before the policy %q and the quota %q", pod.GetName(), policy.Name, quota.Name)
			}
		}
	}
	here := networkingv1.NetworkPolicyPeer{PodSelector: &metav1.LabelSelector{}}
	if spec := policy.Spec; len(spec.PodSelector.MatchLabels)+len(spec.PodSelector.MatchExpressions) > 0 || len(spec.PolicyTypes) != 2 ||
		!reflect.DeepEqual(spec.Ingress, []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{here}}}) {
		s.Errorf("the policy lets in more than its own, or is not for all: %+v", spec)
	}
	for _, way := range policy.Spec.Egress {
		dns := len(way.Ports) == 2 && way.Ports[0].Port.IntVal == 53 && way.Ports[1].Port.IntVal == 53
		if !dns && !reflect.DeepEqual(way.To, []networkingv1.NetworkPolicyPeer{here}) {
			s.Errorf("the policy lets out more than to itself and to DNS: %+v", way)
		}
	}
	for _, hard := range []corev1.ResourceName{corev1.ResourcePods, corev1.ResourcePersistentVolumeClaims, corev1.ResourceRequestsStorage} {
		if _, bounded := quota.Spec.Hard[hard]; !bounded {
			s.Errorf("the quota does not bound %s: %v", hard, quota.Spec.Hard)
		}
	}
}

// plant is what somebody does to an object of a namespace as soon as it appears.
type plant struct {
	of   schema.GroupVersionResource
	name string
	do   func(ctx context.Context, all dynamic.ResourceInterface) error
}

// plants lets them be done. The returned function wants that each was.
func (s *scene) plants(namespace string, all ...plant) (check func()) {
	s.Helper()
	var mu sync.Mutex
	done := map[string]error{}
	byResource := map[schema.GroupVersionResource][]plant{}
	for _, one := range all {
		byResource[one.of] = append(byResource[one.of], one)
	}
	for of, some := range byResource {
		in := namespace
		if of.Resource == "namespaces" {
			in = metav1.NamespaceAll
		}
		s.eachChange(in, of, func(object *unstructured.Unstructured) {
			for i, one := range some {
				key := fmt.Sprintf("%s/%s/%d", of.Resource, one.name, i)
				mu.Lock()
				_, before := done[key]
				mu.Unlock()
				if object.GetName() != one.name || before || object.GetDeletionTimestamp() != nil {
					continue
				}
				err := one.do(s.ctx, s.dynamic().Resource(of).Namespace(object.GetNamespace()))
				mu.Lock()
				done[key] = err
				mu.Unlock()
			}
		})
	}
	return func() {
		s.Helper()
		mu.Lock()
		defer mu.Unlock()
		if len(done) != len(all) {
			s.Errorf("of %d alterations these were made: %v", len(all), slices.Sorted(maps.Keys(done)))
		}
		for what, err := range done {
			if err != nil {
				s.Errorf("altering %s: %v", what, err)
			}
		}
	}
}

// leavesNothing wants nothing of any run in the cluster or the bucket.
func (r *result) leavesNothing() *result {
	r.Helper()
	r.traceless()
	r.wantNothingLeft()
	r.within(10*time.Second, "nothing of a run is left", func() (bool, string) {
		left := r.leftOfRuns()
		return len(left) == 0, strings.Join(left, ", ")
	})
	return r
}
