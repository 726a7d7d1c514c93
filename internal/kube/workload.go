package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// Workload is what brings a pod back, by the name people use for it: the
// Deployment, not its ReplicaSet.
type Workload struct {
	Kind      string    `json:"kind"`
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	UID       types.UID `json:"uid"`
	// Selector of its pods; empty for kinds we can't read, whose pods are known
	// by their controller alone.
	Selector string `json:"selector,omitempty"`
	// Ready is how many of its pods were Ready when it was read: the full count
	// to come back to.
	Ready int `json:"ready"`
}

// String names the workload: Deployment shop/web.
func (w Workload) String() string { return w.Kind + " " + w.Namespace + "/" + w.Name }

// owns says whether the pod is one of the workload's.
func (w Workload) owns(pod *corev1.Pod, selector labels.Selector) bool {
	owner := metav1.GetControllerOf(pod)
	switch {
	case owner == nil || pod.Namespace != w.Namespace:
		return false
	case w.Kind == "Deployment": // a rollout moves its pods to another ReplicaSet
		return owner.Kind == "ReplicaSet" && selector.Matches(labels.Set(pod.Labels))
	default:
		return owner.UID == w.UID
	}
}

// Stray says that no workload brings the pod back: it has no controller, it is
// a Job's and meant to end, or it is finished.
func Stray(pod *corev1.Pod) bool {
	return metav1.GetControllerOf(pod) == nil || ManagedBy(pod, "Job") || Finished(pod)
}

// Workloads finds the workloads that bring the given pods back, sorted by
// name; strays have none. It lists each kind once for each namespace, however
// many pods there are.
func Workloads(ctx context.Context, client kubernetes.Interface, pods []*corev1.Pod) ([]Workload, error) {
	owners := map[string]map[types.UID]metav1.OwnerReference{} // by namespace
	for _, pod := range pods {
		if owner := metav1.GetControllerOf(pod); !Stray(pod) {
			if owners[pod.Namespace] == nil {
				owners[pod.Namespace] = map[types.UID]metav1.OwnerReference{}
			}
			owners[pod.Namespace][owner.UID] = *owner
		}
	}
	var found []Workload
	for namespace, wanted := range owners {
		finder := workloadFinder{client: client, namespace: namespace, wanted: wanted}
		if err := finder.find(ctx); err != nil {
			return nil, err
		}
		found = append(found, finder.found...)
	}
	slices.SortFunc(found, func(a, b Workload) int { return strings.Compare(a.String(), b.String()) })
	return found, nil
}

// workloadFinder resolves the owners of one namespace; what it has resolved it
// takes out of wanted.
type workloadFinder struct {
	client    kubernetes.Interface
	namespace string
	wanted    map[types.UID]metav1.OwnerReference
	found     []Workload
}

func (f *workloadFinder) find(ctx context.Context) error {
	apps := f.client.AppsV1()
	if f.wants("ReplicaSet") {
		_, err := Each(ctx, apps.ReplicaSets(f.namespace), metav1.ListOptions{}, func(set *appsv1.ReplicaSet) error {
			owner := metav1.GetControllerOf(set)
			if owner == nil || owner.Kind != "Deployment" {
				return f.take("ReplicaSet", set, set.Spec.Selector, set.Status.ReadyReplicas)
			}
			if _, ok := f.wanted[set.UID]; ok {
				delete(f.wanted, set.UID)
				f.wanted[owner.UID] = *owner
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("listing replicasets in %s: %w", f.namespace, err)
		}
	}
	if f.wants("Deployment") {
		_, err := Each(ctx, apps.Deployments(f.namespace), metav1.ListOptions{}, func(d *appsv1.Deployment) error {
			return f.take("Deployment", d, d.Spec.Selector, d.Status.ReadyReplicas)
		})
		if err != nil {
			return fmt.Errorf("listing deployments in %s: %w", f.namespace, err)
		}
	}
	if f.wants("StatefulSet") {
		_, err := Each(ctx, apps.StatefulSets(f.namespace), metav1.ListOptions{}, func(s *appsv1.StatefulSet) error {
			return f.take("StatefulSet", s, s.Spec.Selector, s.Status.ReadyReplicas)
		})
		if err != nil {
			return fmt.Errorf("listing statefulsets in %s: %w", f.namespace, err)
		}
	}
	if f.wants("DaemonSet") {
		_, err := Each(ctx, apps.DaemonSets(f.namespace), metav1.ListOptions{}, func(d *appsv1.DaemonSet) error {
			return f.take("DaemonSet", d, d.Spec.Selector, d.Status.NumberReady)
		})
		if err != nil {
			return fmt.Errorf("listing daemonsets in %s: %w", f.namespace, err)
		}
	}
	return f.countTheRest(ctx)
}

func (f *workloadFinder) wants(kind string) bool {
	for _, owner := range f.wanted {
		if owner.Kind == kind && strings.HasPrefix(owner.APIVersion, "apps/") {
			return true
		}
	}
	return false
}

func (f *workloadFinder) take(kind string, object metav1.Object, selector *metav1.LabelSelector, ready int32) error {
	if _, ok := f.wanted[object.GetUID()]; !ok {
		return nil
	}
	delete(f.wanted, object.GetUID())
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return fmt.Errorf("reading selector of %s %s: %w", kind, object.GetName(), err)
	}
	f.found = append(f.found, Workload{
		Kind: kind, Namespace: f.namespace, Name: object.GetName(), UID: object.GetUID(),
		Selector: parsed.String(), Ready: int(ready),
	})
	return nil
}

// countTheRest counts the pods of controllers we have no type for, such as
// custom resources.
func (f *workloadFinder) countTheRest(ctx context.Context) error {
	if len(f.wanted) == 0 {
		return nil
	}
	ready := map[types.UID]int{}
	_, err := Each(ctx, f.client.CoreV1().Pods(f.namespace), metav1.ListOptions{}, func(pod *corev1.Pod) error {
		if owner := metav1.GetControllerOf(pod); owner != nil && Ready(pod) {
			ready[owner.UID]++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("listing pods in %s: %w", f.namespace, err)
	}
	for uid, owner := range f.wanted {
		f.found = append(f.found, Workload{
			Kind: owner.Kind, Namespace: f.namespace, Name: owner.Name, UID: uid, Ready: ready[uid],
		})
	}
	return nil
}
