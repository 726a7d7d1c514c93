package velero

import (
	"slices"
	"strings"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/velero"
)

// scratch is the scratch namespace, as the run makes it.
func scratch(labels map[string]string) *corev1.Namespace {
	made := namespace("drill")
	made.Labels = labels
	return made
}

// phase is that of an object in Velero's namespace; "gone" of one that is not there.
func (w *world) phase(resource, name string) string {
	object, err := w.dynamic.Tracker().Get(velerov1.SchemeGroupVersion.WithResource(resource), inVelero, name)
	if err != nil {
		return "gone"
	}
	phase, _, _ := unstructured.NestedString(object.(*unstructured.Unstructured).Object, "status", "phase")
	return phase
}

// write changes an object in Velero's namespace as Velero would.
func (w *world) write(t *testing.T, resource, name string, change func(*unstructured.Unstructured)) {
	t.Helper()
	of := velerov1.SchemeGroupVersion.WithResource(resource)
	object, err := w.dynamic.Tracker().Get(of, inVelero, name)
	if err == nil {
		written := object.DeepCopyObject().(*unstructured.Unstructured)
		written.SetResourceVersion(written.GetResourceVersion() + "1")
		change(written)
		err = w.dynamic.Tracker().Update(of, written, inVelero)
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

// beginsAtDeletion lets Velero begin with an object just before its first deletion
// arrives, which is then held against what the object is by now.
func (w *world) beginsAtDeletion(resource string, begin func(name string)) {
	begun := false
	w.dynamic.PrependReactor("delete", resource, func(action clienttesting.Action) (bool, runtime.Object, error) {
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

// Velero makes a namespace anew that goes while it restores: only when it will not
// work at the Restore any more is the namespace deleted.
func TestUndoDeletesTheNamespaceWhenVeleroIsDone(t *testing.T) {
	own := drill()
	soon := func(do func()) { time.AfterFunc(100*time.Millisecond, do) }
	for name, test := range map[string]struct {
		phase   velerov1.RestorePhase
		prepare func(w *world)
		want    []string // the Restore's phases when the namespace is deleted
	}{
		"not begun": {phase: "", want: []string{"gone"}},
		"new":       {phase: velerov1.RestorePhaseNew, want: []string{"gone"}},
		"ended":     {phase: velerov1.RestorePhaseCompleted, want: []string{"Completed"}},
		"begun meanwhile": {phase: velerov1.RestorePhaseNew, want: []string{"Completed"}, prepare: func(w *world) {
			w.beginsAtDeletion(velero.Restores, func(name string) {
				w.write(t, velero.Restores, name, becomes("InProgress"))
				soon(func() { w.write(t, velero.Restores, name, becomes("Completed")) })
			})
		}},
		"gone on with while it is deleted": {phase: velerov1.RestorePhaseNew, want: []string{"gone"}, prepare: func(w *world) {
			w.dynamic.PrependReactor("delete", velero.Restores, func(action clienttesting.Action) (bool, runtime.Object, error) {
				name := action.(clienttesting.DeleteAction).GetName()
				w.write(t, velero.Restores, name, func(restore *unstructured.Unstructured) {
					now := metav1.Now()
					restore.SetDeletionTimestamp(&now)
					becomes("InProgress")(restore)
				})
				soon(func() {
					_ = w.dynamic.Tracker().Delete(velerov1.SchemeGroupVersion.WithResource(velero.Restores), inVelero, name)
				})
				return true, nil, nil
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, scratch(marks(run)))
			w.velero(t, velero.Restores, "Restore", &velerov1.Restore{
				ObjectMeta: metav1.ObjectMeta{Name: own.Own, Labels: marks(run), UID: "uid", ResourceVersion: "1"}, Status: velerov1.RestoreStatus{Phase: test.phase},
			})
			if test.prepare != nil {
				test.prepare(w)
			}
			var phases []string
			w.typed.PrependReactor("delete", "namespaces", func(clienttesting.Action) (bool, runtime.Object, error) {
				phases = append(phases, w.phase(velero.Restores, own.Own))
				return false, nil, nil
			})
			said, err := w.undo(t, own)
			if err != nil || !slices.Equal(phases, test.want) || !strings.Contains(said, "restore "+own.Own) {
				t.Errorf("the Restore was %q when the namespace was deleted, want %q; said %q, %v", phases, test.want, said, err)
			}
		})
	}
}

// A Restore that Velero has begun to look at and does not let go of holds everything up.
func TestUndoWaitsForVeleroToLetGo(t *testing.T) {
	w := newWorld(t, scratch(marks(run)))
	now := metav1.Now()
	w.velero(t, velero.Restores, "Restore", &velerov1.Restore{
		ObjectMeta: metav1.ObjectMeta{Name: drill().Own, Labels: marks(run), DeletionTimestamp: &now, Finalizers: []string{"restores.velero.io/external-resources-finalizer"}},
	})
	said, err := w.undo(t, drill())
	if err == nil || !strings.Contains(err.Error(), "Velero lets go of it last: is it up?") || experiments.IsLasting(err) || len(w.deleted()) > 0 {
		t.Errorf("said %q, %v; deleted %v", said, err, w.deleted())
	}
}

// A backup that Velero has just begun with would be stored and come back.
func TestUndoLetsABackupEndThatHasBegun(t *testing.T) {
	own := drill(takesOne)
	w := newWorld(t)
	w.velero(t, velero.Backups, "Backup", &velerov1.Backup{
		ObjectMeta: metav1.ObjectMeta{Name: own.Own, Labels: marks(run), UID: "uid", ResourceVersion: "1"}, Status: velerov1.BackupStatus{Phase: velerov1.BackupPhaseNew},
	})
	w.beginsAtDeletion(velero.Backups, func(name string) {
		w.write(t, velero.Backups, name, becomes("InProgress"))
		time.AfterFunc(100*time.Millisecond, func() { w.write(t, velero.Backups, name, becomes("Completed")) })
	})
	said, err := w.undo(t, own)
	asked := slices.ContainsFunc(w.dynamic.Actions(), func(action clienttesting.Action) bool {
		return action.Matches("create", velero.DeleteRequests)
	})
	if err != nil || !asked || w.phase(velero.Backups, own.Own) != "gone" {
		t.Errorf("said %q, %v; Velero was asked to delete it: %v", said, err, asked)
	}
}

// A namespace without the run's mark is somebody's, unless the run restored into it.
func TestUndoOfANamespaceThatIsNotMarked(t *testing.T) {
	restored := func(by string) *corev1.ConfigMap {
		config := configMap("drill", "settings")
		config.Labels = map[string]string{velerov1.RestoreNameLabel: by}
		return config
	}
	for name, test := range map[string]struct {
		objects []runtime.Object
		left    string
	}{
		"somebody's":              {objects: []runtime.Object{scratch(nil), configMap("drill", "settings")}},
		"of another run":          {objects: []runtime.Object{scratch(marks("20260512-030000-cd34")), restored("gameday-20260512-030000-cd34-0001")}},
		"made anew by Velero":     {objects: []runtime.Object{scratch(nil), restored(drill().Own)}, left: "ConfigMap settings in it was restored by " + drill().Own},
		"restored into elsewhere": {objects: []runtime.Object{scratch(nil), func() *corev1.ConfigMap { c := restored(drill().Own); c.Namespace = "other"; return c }()}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.objects...)
			for range 2 { // again and again
				said, err := w.undo(t, drill())
				switch {
				case test.left == "" && err != nil:
					t.Errorf("said %q, %v", said, err)
				case test.left != "" && (!experiments.IsLasting(err) || !strings.Contains(err.Error(), test.left)):
					t.Errorf("said %q, %v; want it to tell of %q", said, err, test.left)
				}
			}
			if len(w.deleted()) > 0 {
				t.Errorf("deleted %v", w.deleted())
			}
		})
	}
}

// A namespace that was still being made when undo looked for it first.
func TestUndoLooksForTheNamespaceAgain(t *testing.T) {
	w := newWorld(t)
	looked := 0
	w.typed.PrependReactor("get", "namespaces", func(clienttesting.Action) (bool, runtime.Object, error) {
		if looked++; looked == 2 {
			w.add(t, scratch(marks(run)))
		}
		return false, nil, nil
	})
	if said, err := w.undo(t, drill()); err == nil || !strings.Contains(err.Error(), "still there: namespaces drill") {
		t.Errorf("said %q, %v", said, err)
	}
	if said, err := w.undo(t, drill()); err != nil {
		t.Errorf("said %q, %v", said, err)
	}
}
