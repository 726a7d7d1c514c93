// Package velerotest is a cluster of fakes that has Velero's kinds, for the tests of
// what makes and deletes objects in it.
package velerotest

import (
	"context"
	"slices"
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/velero"
)

const (
	// Velero is the namespace of Velero.
	Velero = "velero"
	// Run is the run that acts.
	Run = "20260512-020000-ab12"
)

// Cluster has objects for typed clients and for dynamic ones, and a Velero that does
// nothing but delete a backup when it is asked to.
type Cluster struct {
	Typed   *fake.Clientset
	Dynamic *dynamicfake.FakeDynamicClient
	Record  Recorder
}

// Recorder keeps what is recorded.
type Recorder struct{ Said []any }

// Record implements journal.Recorder.
func (r *Recorder) Record(_ string, payload any) { r.Said = append(r.Said, payload) }

// New makes a cluster with these objects, which clients of both sorts see.
func New(t *testing.T, objects ...runtime.Object) *Cluster {
	t.Helper()
	c := &Cluster{Typed: fake.NewClientset(objects...)}
	c.Typed.Resources = served()
	var untyped []runtime.Object
	for _, object := range objects {
		untyped = append(untyped, unstructuredOf(t, object))
	}
	c.Dynamic = dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), listKinds(), untyped...)
	c.Typed.PrependReactor("list", "*", byName(c.Typed.Tracker()))
	c.Dynamic.PrependReactor("list", "*", byName(c.Dynamic.Tracker()))
	c.Dynamic.PrependReactor("create", velero.DeleteRequests, func(action clienttesting.Action) (bool, runtime.Object, error) {
		request := action.(clienttesting.CreateAction).GetObject()
		return true, request, c.deleteBackup(request.(*unstructured.Unstructured))
	})
	return c
}

// Env is what a step is lent.
func (c *Cluster) Env() experiments.Env {
	return experiments.Env{
		Client: c.Typed, Dynamic: c.Dynamic, RunID: Run, Velero: experiments.Velero{Namespace: Velero}, Record: &c.Record,
	}
}

// Guard refuses each request that refuse has an error for. Reactors that are there
// already come after it: what is refused never gets to them.
func (c *Cluster) Guard(refuse func(kube.Access) error) {
	guard := func(action clienttesting.Action) error {
		access := kube.Access{
			Namespace: action.GetNamespace(), Verb: action.GetVerb(), Group: action.GetResource().Group, Resource: action.GetResource().Resource, Subresource: action.GetSubresource(),
		}
		if strings.HasPrefix(access.Resource, "selfsubject") || access.Resource == "group" || access.Resource == "resource" {
			return nil // everybody may ask who he is, what he may, and what there is
		}
		return refuse(access)
	}
	for _, client := range []*clienttesting.Fake{&c.Typed.Fake, &c.Dynamic.Fake} {
		client.PrependReactor("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
			err := guard(action)
			return err != nil, nil, err
		})
		client.PrependWatchReactor("*", func(action clienttesting.Action) (bool, watch.Interface, error) {
			err := guard(action)
			return err != nil, nil, err
		})
	}
}

// Forbidden is how a user is told that he may not.
func Forbidden(access kube.Access) error {
	return apierrors.NewForbidden(schema.GroupResource{Group: access.Group, Resource: access.Resource}, "", nil)
}

// Put puts one of Velero's objects there, with its status.
func (c *Cluster) Put(t *testing.T, resource, kind string, object metav1.Object) {
	t.Helper()
	object.SetNamespace(Velero)
	object.(runtime.Object).GetObjectKind().SetGroupVersionKind(velerov1.SchemeGroupVersion.WithKind(kind))
	if err := c.Dynamic.Tracker().Create(velerov1.SchemeGroupVersion.WithResource(resource), unstructuredOf(t, object), Velero); err != nil {
		t.Fatal(err)
	}
}

// Reader makes a pod like those that read volumes.
func (c *Cluster) Reader(ctx context.Context, name string) error {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{experiments.LabelRun: Run, "app.kubernetes.io/component": "files-reader"}}}
	_, err := c.Typed.CoreV1().Pods(experiments.Namespace).Create(ctx, pod, metav1.CreateOptions{})
	return err
}

// Marked names all that bears the run's mark, by resource.
func (c *Cluster) Marked(t *testing.T) []string {
	t.Helper()
	var found []string
	add := func(resource string, list runtime.Object, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		err = meta.EachListItem(list, func(item runtime.Object) error {
			object, err := meta.Accessor(item)
			if err == nil && object.GetLabels()[experiments.LabelRun] == Run {
				found = append(found, strings.Trim(resource+" "+object.GetNamespace()+"/"+object.GetName(), "/"))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for resource, kind := range veleroKinds() {
		list, err := c.Dynamic.Tracker().List(resource, resource.GroupVersion().WithKind(strings.TrimSuffix(kind, "List")), Velero)
		add(resource.Resource, list, err)
	}
	for _, kind := range []struct{ resource, kind string }{{"namespaces", "Namespace"}, {"configmaps", "ConfigMap"}, {"pods", "Pod"}} {
		version := corev1.SchemeGroupVersion
		list, err := c.Typed.Tracker().List(version.WithResource(kind.resource), version.WithKind(kind.kind), "")
		add(kind.resource, list, err)
	}
	slices.Sort(found)
	return found
}

// Deleted names what was deleted, and whether that was said to be one object only.
func (c *Cluster) Deleted() map[string]types.UID {
	all := map[string]types.UID{}
	for _, action := range append(c.Typed.Actions(), c.Dynamic.Actions()...) {
		deletion, is := action.(clienttesting.DeleteActionImpl)
		if !is {
			continue
		}
		all[deletion.GetResource().Resource+"/"+deletion.GetName()] = ""
		if only := deletion.DeleteOptions.Preconditions; only != nil && only.UID != nil {
			all[deletion.GetResource().Resource+"/"+deletion.GetName()] = *only.UID
		}
	}
	return all
}

// deleteBackup is Velero at work.
func (c *Cluster) deleteBackup(request *unstructured.Unstructured) error {
	name, _, _ := unstructured.NestedString(request.Object, "spec", "backupName")
	return c.Dynamic.Tracker().Delete(velerov1.SchemeGroupVersion.WithResource(velero.Backups), Velero, name)
}

// byName adds to a fake's lists what it lacks: selection by name.
func byName(tracker clienttesting.ObjectTracker) clienttesting.ReactionFunc {
	return func(action clienttesting.Action) (bool, runtime.Object, error) {
		list := action.(clienttesting.ListActionImpl)
		name, chosen := list.GetListRestrictions().Fields.RequiresExactMatch(metav1.ObjectNameField)
		if !chosen {
			return false, nil, nil
		}
		all, err := tracker.List(list.GetResource(), list.GetKind(), list.GetNamespace())
		if err != nil {
			return true, nil, err
		}
		items, err := meta.ExtractList(all)
		if err != nil {
			return true, nil, err
		}
		items = slices.DeleteFunc(items, func(item runtime.Object) bool {
			object, err := meta.Accessor(item)
			return err != nil || object.GetName() != name
		})
		return true, all, meta.SetList(all, items)
	}
}
