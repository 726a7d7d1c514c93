package cleanup

import (
	"fmt"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/velero"
)

// mark selects what the run itself has made.
func (u *undoing) mark() string { return experiments.LabelRun + "=" + u.env.RunID }

// restoredByUs selects what Velero has restored by the run's Restore
// (pkg/restore/restore.go, addRestoreLabels).
func (u *undoing) restoredByUs() string {
	return velerov1.RestoreNameLabel + "=" + velero.LabelValue(u.made.Own)
}

// ours refuses to delete what does not bear the run's mark: it was there before, or
// the ledger is damaged.
func (u *undoing) ours(what string, object metav1.Object) error {
	if object.GetLabels()[experiments.LabelRun] == u.env.RunID {
		return nil
	}
	return experiments.Lasting(fmt.Errorf("deleting %s: it does not bear the mark of run %s (label %s): look at it, and delete it by hand if it is the drill's",
		what, u.env.RunID, experiments.LabelRun))
}

// inVelero is how an object in Velero's namespace is called.
func (u *undoing) inVelero(kind, name string) string {
	return fmt.Sprintf("%s %s/%s", kind, u.made.Velero, name)
}
