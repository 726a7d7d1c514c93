package cleanup

import (
	"context"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/backup/velero/internal/velerotest"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/verify/objects"
)

const (
	inVelero = velerotest.Velero
	run      = velerotest.Run
)

// world is a cluster in which a step has been.
type world struct{ *velerotest.Cluster }

func newWorld(t *testing.T, objects ...runtime.Object) *world {
	t.Helper()
	return &world{velerotest.New(t, objects...)}
}

// drill is what a step may have made that restores a backup that was there.
func drill(change ...func(*Made)) Made {
	made := Made{Velero: inVelero, Into: "drill", Backup: "nightly-1", Own: "gameday-" + run + "-0001", Patience: time.Minute}
	for _, c := range change {
		c(&made)
	}
	return made
}

// takesOne makes a step of one that takes its backup itself.
func takesOne(made *Made) { made.New, made.Backup = true, made.Own }

// reads makes a step of one that has readers.
func reads(made *Made) { made.Readers = true }

// undo tries once, and no longer than a moment.
func (w *world) undo(t *testing.T, made Made) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	return Undo(ctx, w.Env(), made, kinds)
}

// kinds are some of those that a namespace can hold.
func kinds() ([]objects.Resource, error) {
	return []objects.Resource{
		{Version: "v1", Name: "configmaps", Kind: "ConfigMap", Namespaced: true},
		{Version: "v1", Name: "pods", Kind: "Pod", Namespaced: true},
	}, nil
}

// marks is the label of a run's objects.
func marks(runID string) map[string]string { return map[string]string{experiments.LabelRun: runID} }

// scratch is the scratch namespace, as the run makes it.
func scratch(labels map[string]string, change ...func(*corev1.Namespace)) *corev1.Namespace {
	made := velerotest.Namespace("drill")
	made.Labels = labels
	for _, c := range change {
		c(made)
	}
	return made
}

// add puts an object there for typed clients.
func (w *world) add(t *testing.T, object runtime.Object) {
	t.Helper()
	if err := w.Typed.Tracker().Add(object); err != nil {
		t.Fatal(err)
	}
}

// deny refuses the user one thing.
func (w *world) deny(denied kube.Access) {
	w.Guard(func(access kube.Access) error {
		if access == denied {
			return velerotest.Forbidden(access)
		}
		return nil
	})
}

// keeps makes the API server take deletions of a resource and delete nothing, as it
// does for an object with a finalizer that nobody removes.
func (w *world) keeps(resource string) {
	for _, client := range []*clienttesting.Fake{&w.Typed.Fake, &w.Dynamic.Fake} {
		client.PrependReactor("delete", resource, func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, nil })
	}
}

// beginsAtDeletion lets Velero begin with an object just before its first deletion
// arrives, which is then held against what the object is by now.
func (w *world) beginsAtDeletion(resource string, begin func(name string)) {
	begun := false
	w.Dynamic.PrependReactor("delete", resource, func(action clienttesting.Action) (bool, runtime.Object, error) {
		deletion := action.(clienttesting.DeleteActionImpl)
		if begun {
			return false, nil, nil
		}
		begun = true
		begin(deletion.GetName())
		only := deletion.DeleteOptions.Preconditions
		if only != nil && only.ResourceVersion != nil {
			return true, nil, apierrors.NewConflict(deletion.GetResource().GroupResource(), deletion.GetName(), nil)
		}
		return false, nil, nil
	})
}

// write changes an object in Velero's namespace as Velero would.
func (w *world) write(t *testing.T, resource, name string, change func(*unstructured.Unstructured)) {
	t.Helper()
	of := velerov1.SchemeGroupVersion.WithResource(resource)
	object, err := w.Dynamic.Tracker().Get(of, inVelero, name)
	if err == nil {
		written := object.DeepCopyObject().(*unstructured.Unstructured)
		written.SetResourceVersion(written.GetResourceVersion() + "1")
		change(written)
		err = w.Dynamic.Tracker().Update(of, written, inVelero)
	}
	if err != nil {
		t.Error(err)
	}
}

func becomes(phase string) func(*unstructured.Unstructured) {
	return func(object *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(object.Object, phase, "status", "phase")
	}
}

// phase is that of an object in Velero's namespace; "gone" of one that is not there.
func (w *world) phase(resource, name string) string {
	object, err := w.Dynamic.Tracker().Get(velerov1.SchemeGroupVersion.WithResource(resource), inVelero, name)
	if err != nil {
		return "gone"
	}
	phase, _, _ := unstructured.NestedString(object.(*unstructured.Unstructured).Object, "status", "phase")
	return phase
}
