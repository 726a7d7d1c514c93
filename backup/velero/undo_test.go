package velero

import (
	"context"
	"strings"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/velero"
)

// drill is what a step has planned that restores a backup that was there.
func drill(change ...func(*restorePlan)) restorePlan {
	own := restorePlan{Velero: inVelero, Source: "shop", Into: "drill", Backup: "nightly-1", Own: "gameday-" + run + "-0001", CleanupSeconds: 60}
	for _, c := range change {
		c(&own)
	}
	return own
}

// takesOne makes a step of one that takes its backup itself.
func takesOne(own *restorePlan) { own.New, own.Backup = true, own.Own }

// undo tries once, and no longer than a moment.
func (w *world) undo(t *testing.T, own restorePlan) (string, error) {
	t.Helper()
	var plan experiments.Plan
	if err := plan.SetData(own); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	return new(Restore).Undo(ctx, w.env(), plan)
}

// marks is the label of a run's objects.
func marks(runID string) map[string]string { return map[string]string{experiments.LabelRun: runID} }

// deleted names what was deleted, and whether that was said to be one object only.
func (w *world) deleted() map[string]types.UID {
	all := map[string]types.UID{}
	for _, action := range append(w.typed.Actions(), w.dynamic.Actions()...) {
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

// Undo believes no name: what it deletes bears the run's mark, and is the very object
// that did.
func TestUndoDeletesWhatIsMarkedAlone(t *testing.T) {
	own := drill()
	put := map[string]func(w *world, labels map[string]string){
		"configmaps": func(w *world, labels map[string]string) {
			modifiers := configMap(inVelero, own.Own)
			modifiers.Labels, modifiers.UID = labels, "uid"
			w.add(t, modifiers)
		},
		velero.Restores: func(w *world, labels map[string]string) {
			w.velero(t, velero.Restores, "Restore", &velerov1.Restore{
				ObjectMeta: metav1.ObjectMeta{Name: own.Own, Labels: labels, UID: "uid"}, Status: velerov1.RestoreStatus{Phase: velerov1.RestorePhaseCompleted},
			})
		},
		velero.Backups: func(w *world, labels map[string]string) {
			w.velero(t, velero.Backups, "Backup", &velerov1.Backup{
				ObjectMeta: metav1.ObjectMeta{Name: own.Own, Labels: labels, UID: "uid"}, Status: velerov1.BackupStatus{Phase: velerov1.BackupPhaseNew},
			})
		},
		velero.DeleteRequests: func(w *world, labels map[string]string) {
			w.velero(t, velero.Backups, "Backup", &velerov1.Backup{
				ObjectMeta: metav1.ObjectMeta{Name: own.Own, Labels: marks(run)}, Status: velerov1.BackupStatus{Phase: velerov1.BackupPhaseCompleted},
			})
			w.velero(t, velero.DeleteRequests, "DeleteBackupRequest", &velerov1.DeleteBackupRequest{ObjectMeta: metav1.ObjectMeta{Name: own.Own, Labels: labels, UID: "uid"}})
		},
	}
	for resource, put := range put {
		for name, labels := range map[string]map[string]string{"the run's": marks(run), "another run's": marks("20260512-030000-cd34"), "somebody's": nil} {
			t.Run(name+" "+resource, func(t *testing.T) {
				w := newWorld(t)
				put(w, labels)
				said, err := w.undo(t, drill(takesOne))
				uid, gone := w.deleted()[resource+"/"+own.Own]
				switch {
				case name == "the run's" && (err != nil || uid != "uid"):
					t.Errorf("said %q, %v; deleted %v", said, err, w.deleted())
				case name != "the run's" && (gone || !experiments.IsLasting(err) || !strings.Contains(err.Error(), own.Own+": it does not bear the mark of run "+run)):
					t.Errorf("said %q, %v; deleted %v", said, err, w.deleted())
				}
			})
		}
	}
}

// A name that no run gives is none that a ledger of gameday's could hold.
func TestUndoRefusesNamesOfOthers(t *testing.T) {
	for name, forge := range map[string]func(*restorePlan){
		"of the cluster": func(own *restorePlan) { own.Velero, own.Own = "kube-system", "coredns" },
		"of another run": func(own *restorePlan) { own.Own = "gameday-20260512-030000-cd34-0001" },
		"none":           func(own *restorePlan) { own.Own = "" },
	} {
		t.Run(name, func(t *testing.T) {
			own := drill(forge)
			theirs := configMap(own.Velero, own.Own)
			theirs.Labels = marks(run)
			w := newWorld(t, theirs)
			if said, err := w.undo(t, own); !experiments.IsLasting(err) || len(w.deleted()) > 0 {
				t.Errorf("said %q, %v; deleted %v", said, err, w.deleted())
			}
		})
	}
}

// add puts an object there for typed clients.
func (w *world) add(t *testing.T, object runtime.Object) {
	t.Helper()
	if err := w.typed.Tracker().Add(object); err != nil {
		t.Fatal(err)
	}
}
