package cleanup

import (
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup/velero/internal/velerotest"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/velero"
)

// Undo believes no name: what it deletes bears the run's mark, and is the very object
// that did.
func TestUndoDeletesWhatIsMarkedAlone(t *testing.T) {
	made := drill()
	put := map[string]func(w *world, labels map[string]string){
		"configmaps": func(w *world, labels map[string]string) {
			modifiers := velerotest.ConfigMap(inVelero, made.Own)
			modifiers.Labels, modifiers.UID = labels, "uid"
			w.add(t, modifiers)
		},
		velero.Restores: func(w *world, labels map[string]string) {
			w.Put(t, velero.Restores, "Restore", &velerov1.Restore{
				ObjectMeta: metav1.ObjectMeta{Name: made.Own, Labels: labels, UID: "uid"}, Status: velerov1.RestoreStatus{Phase: velerov1.RestorePhaseCompleted},
			})
		},
		velero.Backups: func(w *world, labels map[string]string) {
			w.Put(t, velero.Backups, "Backup", &velerov1.Backup{
				ObjectMeta: metav1.ObjectMeta{Name: made.Own, Labels: labels, UID: "uid"}, Status: velerov1.BackupStatus{Phase: velerov1.BackupPhaseNew},
			})
		},
		velero.DeleteRequests: func(w *world, labels map[string]string) {
			w.Put(t, velero.Backups, "Backup", &velerov1.Backup{
				ObjectMeta: metav1.ObjectMeta{Name: made.Own, Labels: marks(run)}, Status: velerov1.BackupStatus{Phase: velerov1.BackupPhaseCompleted},
			})
			w.Put(t, velero.DeleteRequests, "DeleteBackupRequest", &velerov1.DeleteBackupRequest{ObjectMeta: metav1.ObjectMeta{Name: made.Own, Labels: labels, UID: "uid"}})
		},
	}
	for resource, put := range put {
		for name, labels := range map[string]map[string]string{"the run's": marks(run), "another run's": marks("20260512-030000-cd34"), "somebody's": nil} {
			t.Run(name+" "+resource, func(t *testing.T) {
				w := newWorld(t)
				put(w, labels)
				said, err := w.undo(t, drill(takesOne))
				uid, gone := w.Deleted()[resource+"/"+made.Own]
				switch {
				case name == "the run's" && (err != nil || uid != "uid"):
					t.Errorf("said %q, %v; deleted %v", said, err, w.Deleted())
				case name != "the run's" && (gone || !experiments.IsLasting(err) || !strings.Contains(err.Error(), made.Own+": it does not bear the mark of run "+run)):
					t.Errorf("said %q, %v; deleted %v", said, err, w.Deleted())
				}
			})
		}
	}
}
