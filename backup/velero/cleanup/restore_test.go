package cleanup

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/velero"
)

// Velero makes a namespace anew that goes while it restores: only when it will not
// work at the Restore any more is the namespace deleted.
func TestUndoDeletesTheNamespaceWhenVeleroIsDone(t *testing.T) {
	made := drill()
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
			w.Dynamic.PrependReactor("delete", velero.Restores, func(action clienttesting.Action) (bool, runtime.Object, error) {
				name := action.(clienttesting.DeleteAction).GetName()
				w.write(t, velero.Restores, name, func(restore *unstructured.Unstructured) {
					now := metav1.Now()
					restore.SetDeletionTimestamp(&now)
					becomes("InProgress")(restore)
				})
				soon(func() {
					_ = w.Dynamic.Tracker().Delete(velerov1.SchemeGroupVersion.WithResource(velero.Restores), inVelero, name)
				})
				return true, nil, nil
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, scratch(marks(run)))
			w.Put(t, velero.Restores, "Restore", &velerov1.Restore{
				ObjectMeta: metav1.ObjectMeta{Name: made.Own, Labels: marks(run), UID: "uid", ResourceVersion: "1"}, Status: velerov1.RestoreStatus{Phase: test.phase},
			})
			if test.prepare != nil {
				test.prepare(w)
			}
			var phases []string
			w.Typed.PrependReactor("delete", "namespaces", func(clienttesting.Action) (bool, runtime.Object, error) {
				phases = append(phases, w.phase(velero.Restores, made.Own))
				return false, nil, nil
			})
			said, err := w.undo(t, made)
			if err != nil || !slices.Equal(phases, test.want) || !strings.Contains(said, "restore "+made.Own) {
				t.Errorf("the Restore was %q when the namespace was deleted, want %q; said %q, %v", phases, test.want, said, err)
			}
		})
	}
}

// A Restore that Velero has begun to look at and does not let go of holds everything up.
func TestUndoWaitsForVeleroToLetGo(t *testing.T) {
	w := newWorld(t, scratch(marks(run)))
	now := metav1.Now()
	w.Put(t, velero.Restores, "Restore", &velerov1.Restore{
		ObjectMeta: metav1.ObjectMeta{Name: drill().Own, Labels: marks(run), DeletionTimestamp: &now, Finalizers: []string{"restores.velero.io/external-resources-finalizer"}},
	})
	said, err := w.undo(t, drill())
	if err == nil || !strings.Contains(err.Error(), "Velero lets go of it last: is it up?") || experiments.IsLasting(err) || len(w.Deleted()) > 0 {
		t.Errorf("said %q, %v; deleted %v", said, err, w.Deleted())
	}
}

// A Restore that Velero is at work on is waited for, and not deleted under its hands.
func TestUndoOfARestoreThatHangs(t *testing.T) {
	w := newWorld(t, scratch(marks(run)))
	began := metav1.NewTime(time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC)) // an hour before a synctest bubble begins
	w.Put(t, velero.Restores, "Restore", &velerov1.Restore{
		ObjectMeta: metav1.ObjectMeta{Name: drill().Own, Labels: marks(run)},
		Status:     velerov1.RestoreStatus{Phase: velerov1.RestorePhaseInProgress, StartTimestamp: &began},
	})
	synctest.Test(t, func(t *testing.T) {
		said, err := Undo(t.Context(), w.Env(), drill(), kinds)
		if !experiments.IsLasting(err) || !strings.Contains(err.Error(), "restart Velero") || !strings.Contains(err.Error(), "gameday recover "+run) {
			t.Errorf("said %q, %v", said, err)
		}
	})
	if len(w.Deleted()) > 0 {
		t.Errorf("deleted %v", w.Deleted())
	}
}

// A Restore that Velero waits with is waited for: no restart of Velero ends that for
// certain. The copy goes already where Velero makes nothing more of it; the Restore, and
// a backup that Velero would delete together with it, do not.
func TestUndoOfARestoreThatWaits(t *testing.T) {
	for phase, test := range map[velerov1.RestorePhase]struct {
		says    string
		deleted []string
	}{
		velerov1.RestorePhaseFinalizing:                                {"--resource-timeout", []string{"namespaces/" + drill().Into}},
		velerov1.RestorePhaseFinalizingPartiallyFailed:                 {"--resource-timeout", []string{"namespaces/" + drill().Into}},
		velerov1.RestorePhaseWaitingForPluginOperations:                {"data to be moved", nil},
		velerov1.RestorePhaseWaitingForPluginOperationsPartiallyFailed: {"data to be moved", nil},
	} {
		t.Run(string(phase), func(t *testing.T) {
			w := newWorld(t, scratch(marks(run)))
			began := metav1.NewTime(time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC))
			w.Put(t, velero.Restores, "Restore", &velerov1.Restore{
				ObjectMeta: metav1.ObjectMeta{Name: drill().Own, Labels: marks(run)},
				Status:     velerov1.RestoreStatus{Phase: phase, StartTimestamp: &began},
			})
			synctest.Test(t, func(t *testing.T) {
				said, err := Undo(t.Context(), w.Env(), drill(), kinds)
				if err == nil || experiments.IsLasting(err) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "gameday recover "+run) {
					t.Errorf("said %q, %v", said, err)
				}
			})
			if deleted := slices.Sorted(maps.Keys(w.Deleted())); !slices.Equal(deleted, test.deleted) {
				t.Errorf("deleted %q, want %q", deleted, test.deleted)
			}
		})
	}
}

// The last word of undoing that runs out of time is what Velero waits for.
func TestUndoThatRunsOutOfTimeSaysWhatVeleroWaitsFor(t *testing.T) {
	w := newWorld(t, scratch(marks(run)))
	began := metav1.NewTime(time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC))
	w.Put(t, velero.Restores, "Restore", &velerov1.Restore{
		ObjectMeta: metav1.ObjectMeta{Name: drill().Own, Labels: marks(run)},
		Status:     velerov1.RestoreStatus{Phase: velerov1.RestorePhaseFinalizing, StartTimestamp: &began},
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), overBudget/2)
		defer cancel()
		if said, err := Undo(ctx, w.Env(), drill(), kinds); err == nil || !strings.Contains(err.Error(), "--resource-timeout") || len(w.Deleted()) > 0 {
			t.Errorf("said %q, %v, deleted %v", said, err, w.Deleted())
		}
	})
}

// A Restore that hangs is not let go of by Velero when somebody deletes it: it must be
// restarted all the same.
func TestUndoOfARestoreThatHangsAndWasDeleted(t *testing.T) {
	w := newWorld(t, scratch(marks(run)))
	began := metav1.NewTime(time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC))
	w.Put(t, velero.Restores, "Restore", &velerov1.Restore{
		ObjectMeta: metav1.ObjectMeta{Name: drill().Own, Labels: marks(run), DeletionTimestamp: &began, Finalizers: []string{"restores.velero.io/external-resources-finalizer"}},
		Status:     velerov1.RestoreStatus{Phase: velerov1.RestorePhaseInProgress, StartTimestamp: &began},
	})
	synctest.Test(t, func(t *testing.T) {
		if said, err := Undo(t.Context(), w.Env(), drill(), kinds); !experiments.IsLasting(err) || !strings.Contains(err.Error(), "restart Velero") {
			t.Errorf("said %q, %v", said, err)
		}
	})
}
