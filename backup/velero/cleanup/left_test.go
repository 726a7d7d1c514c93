package cleanup

import (
	"strings"
	"testing"
	"testing/synctest"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/backup/velero/internal/velerotest"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/velero"
)

// What is there after it was deleted is named, whatever it is.
func TestUndoNamesWhatIsLeft(t *testing.T) {
	made := drill(takesOne, reads)
	for resource, test := range map[string]struct {
		put  func(*world)
		says string
	}{
		"configmaps": {func(w *world) {
			modifiers := velerotest.ConfigMap(inVelero, made.Own)
			modifiers.Labels = marks(run)
			w.add(t, modifiers)
		}, "still there: configmaps velero/" + made.Own},
		"downloadrequests": {func(w *world) {
			w.Put(t, velero.DownloadRequests, "DownloadRequest", &velerov1.DownloadRequest{ObjectMeta: metav1.ObjectMeta{Name: made.Own + "-1", Labels: marks(run)}})
		}, "still there: downloadrequests velero/" + made.Own + "-1"},
		"deletebackuprequests": {func(w *world) {
			w.Put(t, velero.DeleteRequests, "DeleteBackupRequest", &velerov1.DeleteBackupRequest{ObjectMeta: metav1.ObjectMeta{Name: made.Own, Labels: marks(run)}})
		}, "still there: deletebackuprequests velero/" + made.Own},
		"pods": {func(w *world) {
			if err := w.Reader(t.Context(), "reader-1"); err != nil {
				t.Fatal(err)
			}
		}, "reader-1"},
		"restores": {func(w *world) {
			w.Put(t, velero.Restores, "Restore", &velerov1.Restore{
				ObjectMeta: metav1.ObjectMeta{Name: made.Own, Labels: marks(run)}, Status: velerov1.RestoreStatus{Phase: velerov1.RestorePhaseCompleted},
			})
		}, "restores velero/" + made.Own + " is gone"},
		"backups": {func(w *world) {
			w.Put(t, velero.Backups, "Backup", &velerov1.Backup{ObjectMeta: metav1.ObjectMeta{Name: made.Own, Labels: marks(run)}})
		}, "backups velero/" + made.Own + " is gone"},
	} {
		t.Run(resource, func(t *testing.T) {
			w := newWorld(t)
			test.put(w)
			w.keeps(resource)
			synctest.Test(t, func(t *testing.T) {
				if said, err := w.undo(t, made); err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("said %q, %v; want %q", said, err, test.says)
				}
			})
		})
	}
}

// One thing that can't be deleted keeps nothing else from being deleted.
func TestUndoGoesOn(t *testing.T) {
	made := drill(takesOne, reads)
	for _, denied := range []kube.Access{
		{Namespace: inVelero, Verb: "delete", Resource: "configmaps"},
		{Namespace: inVelero, Verb: "list", Group: "velero.io", Resource: "downloadrequests"},
		{Namespace: inVelero, Verb: "delete", Group: "velero.io", Resource: "restores"},
	} {
		t.Run(denied.String(), func(t *testing.T) {
			w := newWorld(t)
			modifiers := velerotest.ConfigMap(inVelero, made.Own)
			modifiers.Labels = marks(run)
			w.add(t, modifiers)
			w.add(t, scratch(marks(run)))
			w.Put(t, velero.Restores, "Restore", &velerov1.Restore{
				ObjectMeta: metav1.ObjectMeta{Name: made.Own, Labels: marks(run)}, Status: velerov1.RestoreStatus{Phase: velerov1.RestorePhaseCompleted},
			})
			w.Put(t, velero.DownloadRequests, "DownloadRequest", &velerov1.DownloadRequest{ObjectMeta: metav1.ObjectMeta{Name: made.Own + "-1", Labels: marks(run)}})
			if err := w.Reader(t.Context(), "reader-1"); err != nil {
				t.Fatal(err)
			}
			w.deny(denied)
			if said, err := w.undo(t, made); !apierrors.IsForbidden(err) {
				t.Errorf("said %q, %v", said, err)
			}
			for _, one := range w.Marked(t) {
				if !strings.HasPrefix(one, denied.Resource+" ") {
					t.Errorf("%s is left", one)
				}
			}
		})
	}
}

// Where Velero was uninstalled meanwhile, its objects are gone with their definitions;
// what else the run has made is not.
func TestUndoWithoutVelero(t *testing.T) {
	made := drill(takesOne, reads)
	w := newWorld(t, scratch(marks(run)))
	modifiers := velerotest.ConfigMap(inVelero, made.Own)
	modifiers.Labels = marks(run)
	w.add(t, modifiers)
	if err := w.Reader(t.Context(), "reader-1"); err != nil {
		t.Fatal(err)
	}
	w.Dynamic.PrependReactor("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewGenericServerResponse(404, action.GetVerb(), action.GetResource().GroupResource(), "", "", 0, true)
	})
	if said, err := w.undo(t, made); err != nil || said != "namespace drill deleted; nothing is left" {
		t.Errorf("said %q, %v", said, err)
	}
	if left := w.Marked(t); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// A namespace that was still being made when undo looked for it first.
func TestUndoLooksForTheNamespaceAgain(t *testing.T) {
	w := newWorld(t)
	looked := 0
	w.Typed.PrependReactor("get", "namespaces", func(clienttesting.Action) (bool, runtime.Object, error) {
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
