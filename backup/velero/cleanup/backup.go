package cleanup

import (
	"context"
	"fmt"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/velero"
)

// deleteBackup has Velero delete the backup of the step, with all that is stored
// of it. A backup that was there before is nobody's to delete.
func (u *undoing) deleteBackup(ctx context.Context) error {
	if !u.made.New {
		return nil
	}
	for {
		backup, err := u.velero.Backup(ctx, u.made.Backup)
		if err == nil {
			err = u.ours(u.inVelero("backup", u.made.Backup), backup)
		}
		if err == nil {
			err = u.beginToDelete(ctx, backup)
		}
		if apierrors.IsConflict(err) {
			continue // Velero has gone on with it since it was read
		}
		if err != nil {
			return ignoreMissing(err)
		}
		break
	}
	if err := u.velero.WaitGone(ctx, velero.Backups, u.made.Backup); err != nil {
		return fmt.Errorf("%w%s", err, u.whyNotDeleted(ctx))
	}
	u.done = append(u.done, "backup "+u.made.Backup)
	return nil
}

// beginToDelete deletes a backup of which nothing is stored; any other it has Velero
// delete, when that has ended.
func (u *undoing) beginToDelete(ctx context.Context, backup *velerov1.Backup) error {
	switch phase := backup.Status.Phase; {
	case phase == "" || phase == velerov1.BackupPhaseNew || phase == velerov1.BackupPhaseFailedValidation:
		// One that Velero began with meanwhile would be stored, and come back from
		// there (pkg/controller/backup_sync_controller.go).
		return u.velero.DeleteUnchanged(ctx, velero.Backups, backup)
	case !velero.BackupEnded(phase):
		if _, err := u.velero.WaitBackup(ctx, u.made.Backup, nil); err != nil {
			return err
		}
	}
	return u.askToDelete(ctx)
}

// askToDelete makes a new DeleteBackupRequest: Velero works on each once.
func (u *undoing) askToDelete(ctx context.Context) error {
	earlier, err := u.velero.DeleteRequest(ctx, u.made.Own)
	if err == nil {
		err = u.ours(u.inVelero("deletebackuprequest", u.made.Own), earlier)
	}
	if err == nil {
		err = u.velero.DeleteThis(ctx, velero.DeleteRequests, earlier)
	}
	if ignoreMissing(err) != nil {
		return err
	}
	return u.velero.Create(ctx, velero.DeleteRequests, "DeleteBackupRequest", &velerov1.DeleteBackupRequest{
		ObjectMeta: metav1.ObjectMeta{Name: u.made.Own, Labels: map[string]string{experiments.LabelRun: u.env.RunID}},
		Spec:       velerov1.DeleteBackupRequestSpec{BackupName: u.made.Backup},
	})
}

func (u *undoing) whyNotDeleted(ctx context.Context) string {
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	request, err := u.velero.DeleteRequest(asking, u.made.Own)
	if err != nil || len(request.Status.Errors) == 0 {
		return ": is Velero up?"
	}
	return ": " + strings.Join(request.Status.Errors, "; ")
}
