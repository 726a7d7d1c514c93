package availability

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// The kinds of workload.
const (
	kindDeployment  = "Deployment"
	kindStatefulSet = "StatefulSet"
	kindDaemonSet   = "DaemonSet"
	kindReplicaSet  = "ReplicaSet"
)

// resourceOf gives the resource of a workload kind, as RBAC and kubectl name it.
func resourceOf(kind string) string {
	switch kind {
	case kindStatefulSet:
		return "statefulsets"
	case kindDaemonSet:
		return "daemonsets"
	case kindReplicaSet:
		return "replicasets"
	default:
		return "deployments"
	}
}

// source is one resource to follow: how to get, list and watch it.
type source struct {
	name string // as gaps name it
	get  func(ctx context.Context, name string, options metav1.GetOptions) error
	list func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error)
	open func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
	// labels and fields select on the server, so that only what is watched travels.
	labels, fields string
}

// resource is what all typed clients have in common.
type resource[T any, L runtime.Object] interface {
	Get(ctx context.Context, name string, options metav1.GetOptions) (T, error)
	List(ctx context.Context, options metav1.ListOptions) (L, error)
	Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
}

func sourceOf[T any, L runtime.Object](name string, client resource[T, L]) source {
	return source{
		name: name,
		open: client.Watch,
		list: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return client.List(ctx, options)
		},
		get: func(ctx context.Context, name string, options metav1.GetOptions) error {
			_, err := client.Get(ctx, name, options)
			return err
		},
	}
}

// String names the workload as people do: shop/web.
func (w Workload) String() string { return w.Namespace + "/" + w.Name }

// workloads gives the source of all workloads of the kind in the namespace.
func (w Workload) workloads(client kubernetes.Interface) source {
	apps := client.AppsV1()
	switch w.Kind {
	case kindStatefulSet:
		return sourceOf(w.Kind, apps.StatefulSets(w.Namespace))
	case kindDaemonSet:
		return sourceOf(w.Kind, apps.DaemonSets(w.Namespace))
	case kindReplicaSet:
		return sourceOf(w.Kind, apps.ReplicaSets(w.Namespace))
	default:
		return sourceOf(kindDeployment, apps.Deployments(w.Namespace))
	}
}

// only narrows a source to the object of a name.
func (s source) only(name string) source {
	s.fields = fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
	return s
}

// labelled narrows a source to what a label selector matches.
func (s source) labelled(selector string) source {
	s.labels = selector
	return s
}
