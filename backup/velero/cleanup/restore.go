package cleanup

import (
	"context"
	"fmt"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/velero"
)

// restore reads the run's Restore.
func (u *undoing) restore(ctx context.Context) (*velerov1.Restore, error) {
	restore, err := u.velero.Restore(ctx, u.made.Own)
	if err != nil {
		return nil, err
	}
	return restore, u.ours(u.inVelero("restore", u.made.Own), restore)
}

// overBudget is how long a restore in progress is waited for at each try.
const overBudget = 30 * time.Second

// restoreOver returns when Velero will not work at the Restore any more. Velero
// can neither cancel one nor forget it: one that hangs keeps every later restore
// waiting.
func (u *undoing) restoreOver(ctx context.Context) error {
	deleted := false
	for {
		restore, err := u.restore(ctx)
		switch {
		case missing(err):
			if deleted {
				u.done = append(u.done, "restore "+u.made.Own)
			}
			return nil
		case err != nil:
			return err
		case velero.RestoreEnded(restore.Status.Phase):
			return nil
		case restore.Status.Phase != "" && restore.Status.Phase != velerov1.RestorePhaseNew || restore.DeletionTimestamp != nil:
			if err := u.waitForRestore(ctx); err != nil {
				return err
			}
			continue
		}
		// Not begun, it never does once it is deleted, unless Velero begins this
		// moment: it goes on with a Restore that is being deleted, and its finalizer
		// goes after that (pkg/controller/restore_controller.go, Reconcile).
		err = u.velero.DeleteUnchanged(ctx, velero.Restores, restore)
		if err != nil && !apierrors.IsConflict(err) {
			return err
		}
		deleted = deleted || err == nil
	}
}

// waitForRestore waits for a Restore that Velero works at to end or to be gone.
func (u *undoing) waitForRestore(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, min(overBudget, u.made.Patience))
	defer cancel()
	restore, err := u.velero.WaitRestore(waiting, u.made.Own, nil)
	if err == nil || missing(err) {
		return nil
	}
	began := restore.Status.StartTimestamp
	switch {
	case restore.DeletionTimestamp != nil:
		return fmt.Errorf("%w: it is being deleted, and Velero lets go of it last: is it up?", err)
	case began == nil || time.Since(began.Time) < u.made.Patience:
		return err
	case restore.Status.Phase != velerov1.RestorePhaseInProgress:
		// A server that starts marks only those as failed that are InProgress
		// (pkg/cmd/server/server.go, markInProgressRestoresFailed).
		return fmt.Errorf("%w: Velero still waits for what it has restored, for claims to be bound or data to be moved, and can't be told to stop: it ends that when its --resource-timeout (10m unless set otherwise) or the step's timeout is over: call gameday recover %s then",
			err, u.env.RunID)
	default:
		return experiments.Lasting(fmt.Errorf(
			"deleting restore %s/%s: Velero is at work on it since %s and can't be told to stop: restart Velero (kubectl -n %s rollout restart deploy/velero), which marks it as failed, then call gameday recover %s",
			u.made.Velero, u.made.Own, began.UTC().Format(time.RFC3339), u.made.Velero, u.env.RunID))
	}
}

// deleteRestore deletes the Restore. Velero's finalizer removes what is stored of it.
func (u *undoing) deleteRestore(ctx context.Context) error {
	restore, err := u.restore(ctx)
	if err != nil {
		return ignoreMissing(err)
	}
	if err := u.velero.DeleteThis(ctx, velero.Restores, restore); err != nil {
		return err
	}
	if err := u.velero.WaitGone(ctx, velero.Restores, u.made.Own); err != nil {
		return fmt.Errorf("%w: Velero removes what it stores of it first: is it up, and its storage location?", err)
	}
	u.done = append(u.done, "restore "+u.made.Own)
	return nil
}
