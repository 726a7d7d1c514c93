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

// nothingIsMade returns when Velero will make nothing more for the Restore. It can
// neither cancel one nor forget it: one that hangs keeps every later restore waiting.
// When Velero finalizes one (pkg/controller/restore_finalizer_controller.go), it makes
// nothing, but waits for what the copy has: so that goes first after a long time only.
func (u *undoing) nothingIsMade(ctx context.Context) error {
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
			finalizing, err := u.waitForRestore(ctx)
			if finalizing && ctx.Err() == nil { // there is time for the rest
				u.pending = err
				return nil
			}
			if err != nil {
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
// finalizing says that it has restored all it will, and has not ended for long.
func (u *undoing) waitForRestore(ctx context.Context) (finalizing bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, min(overBudget, u.made.Patience))
	defer cancel()
	restore, err := u.velero.WaitRestore(waiting, u.made.Own, nil)
	if err == nil || missing(err) {
		return false, nil
	}
	began := restore.Status.StartTimestamp
	long := began != nil && time.Since(began.Time) >= u.made.Patience
	switch phase := restore.Status.Phase; {
	case long && phase == velerov1.RestorePhaseInProgress:
		// The only phase that a server that starts marks as failed (pkg/cmd/server/server.go,
		// markInProgressRestoresFailed).
		return false, experiments.Lasting(fmt.Errorf(
			"deleting restore %s/%s: Velero is at work on it since %s and can't be told to stop: restart Velero (kubectl -n %s rollout restart deploy/velero), which marks it as failed, then call gameday recover %s",
			u.made.Velero, u.made.Own, began.UTC().Format(time.RFC3339), u.made.Velero, u.env.RunID))
	case restore.DeletionTimestamp != nil:
		return false, fmt.Errorf("%w: it is being deleted, and Velero lets go of it last: is it up?", err)
	case long && (phase == velerov1.RestorePhaseFinalizing || phase == velerov1.RestorePhaseFinalizingPartiallyFailed):
		return true, fmt.Errorf("%w: Velero waits for claims of the copy, for each three of them as long as its --resource-timeout says (10m unless it is set), or for hooks in restored pods, which before 1.18 only a restart may end: call gameday recover %s when the Restore has ended",
			err, u.env.RunID)
	case long:
		return false, fmt.Errorf("%w: Velero waits for data to be moved, until the step's timeout is over for that too: call gameday recover %s when the Restore has ended", err, u.env.RunID)
	default:
		return false, err
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
