package cleanup

import (
	"slices"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/internal/velero"
)

// A backup that Velero has just begun with would be stored and come back.
func TestUndoLetsABackupEndThatHasBegun(t *testing.T) {
	made := drill(takesOne)
	w := newWorld(t)
	w.Put(t, velero.Backups, "Backup", &velerov1.Backup{
		ObjectMeta: metav1.ObjectMeta{Name: made.Own, Labels: marks(run), UID: "uid", ResourceVersion: "1"}, Status: velerov1.BackupStatus{Phase: velerov1.BackupPhaseNew},
	})
	w.beginsAtDeletion(velero.Backups, func(name string) {
		w.write(t, velero.Backups, name, becomes("InProgress"))
		time.AfterFunc(100*time.Millisecond, func() { w.write(t, velero.Backups, name, becomes("Completed")) })
	})
	said, err := w.undo(t, made)
	asked := slices.ContainsFunc(w.Dynamic.Actions(), func(action clienttesting.Action) bool {
		return action.Matches("create", velero.DeleteRequests)
	})
	if err != nil || !asked || w.phase(velero.Backups, made.Own) != "gone" {
		t.Errorf("said %q, %v; Velero was asked to delete it: %v", said, err, asked)
	}
}
