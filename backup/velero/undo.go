package velero

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup/velero/files"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/velero"
)

// Undo deletes all that the step has made: the scratch namespace, the Restore, the
// backup if it was taken for the step, and small things beside them. It ends when
// nothing of it is left to be seen, and names what is.
func (s *Restore) Undo(ctx context.Context, env experiments.Env, plan experiments.Plan) (string, error) {
	var own restorePlan
	if err := plan.GetData(&own); err != nil {
		return "", err
	}
	u := &undoing{env: env, plan: own, velero: own.client(env)}
	if !strings.HasPrefix(own.Own, ownPrefix(env.RunID)) {
		return "", experiments.Lasting(fmt.Errorf("the ledger is damaged: %q in namespace %s is no name that run %s gives: nothing is deleted: look for what bears the label %s",
			own.Own, own.Velero, env.RunID, u.mark()))
	}
	return u.undo(ctx)
}

// undoing is one try to undo.
type undoing struct {
	env    experiments.Env
	plan   restorePlan
	velero velero.Client
	done   []string
	// going says that the scratch namespace was there and is being deleted.
	going bool
	// unknown is what the user may not list.
	unknown []string
	// foreign says that the namespace is not the run's and stays.
	foreign bool
}

func (u *undoing) undo(ctx context.Context) (string, error) {
	// A restore that goes on would make the namespace anew.
	if err := u.restoreOver(ctx); err != nil {
		return "", err
	}
	if err := u.keepSnapshots(ctx); err != nil {
		return "", err
	}
	// Deleting the namespace takes longest: the rest is done meanwhile.
	if err := u.deleteNamespace(ctx); err != nil {
		return "", err
	}
	if err := errors.Join(u.deleteRestore(ctx), u.deleteBackup(ctx), u.deleteSmallThings(ctx)); err != nil {
		return "", err
	}
	if !u.foreign {
		if err := errors.Join(u.namespaceGone(ctx), u.volumesGone(ctx)); err != nil {
			return "", err
		}
	}
	if err := u.snapshotContentsGone(ctx); err != nil {
		return "", err
	}
	if left := u.left(ctx); left != nil {
		return "", left
	}
	if len(u.done) == 0 {
		return "", nil
	}
	return u.summary(), nil
}

// summary is what was deleted, and what nobody knows of.
func (u *undoing) summary() string {
	said := strings.Join(u.done, ", ") + " deleted; "
	if len(u.unknown) > 0 {
		return said + "whether " + strings.Join(u.unknown, " and ") + " are left can't be told"
	}
	return said + "nothing is left"
}

// tellUnknown tells of what the user may not list.
func (u *undoing) tellUnknown(what string) {
	u.unknown = append(u.unknown, what)
	u.env.Record.Record(journal.StepProgress, journal.Progress{Message: "whether " + what + " are left can't be told: this user may not list them"})
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
	return fmt.Sprintf("%s %s/%s", kind, u.plan.Velero, name)
}

// missing says that an object, or its whole kind, is not there.
func missing(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }

// restore reads the run's Restore.
func (u *undoing) restore(ctx context.Context) (*velerov1.Restore, error) {
	restore, err := u.velero.Restore(ctx, u.plan.Own)
	if err != nil {
		return nil, err
	}
	return restore, u.ours(u.inVelero("restore", u.plan.Own), restore)
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
				u.done = append(u.done, "restore "+u.plan.Own)
			}
			return nil
		case err != nil:
			return err
		case velero.RestoreEnded(restore.Status.Phase):
			return nil
		case restore.Status.Phase != "" && restore.Status.Phase != velerov1.RestorePhaseNew || restore.DeletionTimestamp != nil:
			if err := u.waitForRestore(ctx, restore); err != nil {
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
func (u *undoing) waitForRestore(ctx context.Context, restore *velerov1.Restore) error {
	waiting, cancel := context.WithTimeout(ctx, min(overBudget, u.patience()))
	defer cancel()
	_, err := u.velero.WaitRestore(waiting, u.plan.Own, nil)
	if err == nil || missing(err) {
		return nil
	}
	if restore.DeletionTimestamp != nil {
		err = fmt.Errorf("%w: it is being deleted, and Velero lets go of it last: is it up?", err)
	}
	if began := restore.Status.StartTimestamp; began == nil || time.Since(began.Time) < u.patience() {
		return err
	}
	return experiments.Lasting(fmt.Errorf(
		"deleting restore %s/%s: Velero is at work on it since %s and can't be told to stop: restart Velero (kubectl -n %s rollout restart deploy/velero), which marks it as failed, then call gameday recover %s",
		u.plan.Velero, u.plan.Own, restore.Status.StartTimestamp.UTC().Format(time.RFC3339), u.plan.Velero, u.env.RunID))
}

func (u *undoing) patience() time.Duration {
	return time.Duration(u.plan.CleanupSeconds * float64(time.Second))
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
	if err := u.velero.WaitGone(ctx, velero.Restores, u.plan.Own); err != nil {
		return fmt.Errorf("%w: Velero removes what it stores of it first: is it up, and its storage location?", err)
	}
	u.done = append(u.done, "restore "+u.plan.Own)
	return nil
}

func ignoreMissing(err error) error {
	if missing(err) {
		return nil
	}
	return err
}

// deleteSmallThings deletes what the step has made beside the rest.
func (u *undoing) deleteSmallThings(ctx context.Context) error {
	return errors.Join(u.deleteModifiers(ctx), u.deleteRequests(ctx), u.removeReaders(ctx))
}

func (u *undoing) deleteModifiers(ctx context.Context) error {
	configMaps := u.env.Client.CoreV1().ConfigMaps(u.plan.Velero)
	modifiers, err := configMaps.Get(ctx, u.plan.Own, metav1.GetOptions{})
	if err == nil {
		if err := u.ours(u.inVelero("configmap", u.plan.Own), modifiers); err != nil {
			return err
		}
		err = configMaps.Delete(ctx, u.plan.Own, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &modifiers.UID}})
	}
	if ignoreMissing(err) != nil {
		return fmt.Errorf("deleting the restore's resource modifiers %s/%s: %w", u.plan.Velero, u.plan.Own, err)
	}
	return nil
}

// deleteRequests deletes what Velero was asked by. It may all have gone with
// Velero's definitions.
func (u *undoing) deleteRequests(ctx context.Context) error {
	for _, resource := range u.requests() {
		names, err := u.velero.Names(ctx, resource, u.mark())
		if missing(err) {
			continue
		}
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := u.velero.Delete(ctx, resource, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// requests are the resources by which this step may have asked Velero for something.
// Others the user need not be allowed to list.
func (u *undoing) requests() []string {
	if u.plan.New {
		return []string{velero.DownloadRequests, velero.DeleteRequests}
	}
	return []string{velero.DownloadRequests}
}

func (u *undoing) removeReaders(ctx context.Context) error {
	if !u.plan.Readers {
		return nil
	}
	return files.Remove(ctx, u.env.Client, experiments.Namespace, u.env.RunID)
}

func (u *undoing) mark() string { return experiments.LabelRun + "=" + u.env.RunID }

// left looks once more for everything that the step has made. Other steps undo
// their own.
func (u *undoing) left(ctx context.Context) error {
	left, err := u.leftInVelero(ctx)
	if err != nil {
		return err
	}
	if !u.foreign {
		_, err := u.env.Client.CoreV1().Namespaces().Get(ctx, u.plan.Into, metav1.GetOptions{})
		if ignoreMissing(err) != nil {
			return fmt.Errorf("looking for scratch namespace %s: %w", u.plan.Into, err)
		}
		if err == nil {
			left = append(left, "namespaces "+u.plan.Into)
		}
	}
	if u.plan.Readers {
		readers, err := files.Left(ctx, u.env.Client, experiments.Namespace, u.env.RunID)
		if err != nil {
			return err
		}
		for _, name := range readers {
			left = append(left, "pods "+experiments.Namespace+"/"+name)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("still there: %s", strings.Join(left, ", "))
	}
	return nil
}

// leftInVelero names what is left in Velero's namespace.
func (u *undoing) leftInVelero(ctx context.Context) ([]string, error) {
	var left []string
	for _, resource := range append(u.requests(), velero.Restores, velero.Backups) {
		names, err := u.velero.Names(ctx, resource, u.mark())
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if name == u.plan.Own || strings.HasPrefix(name, u.plan.Own+"-") {
				left = append(left, fmt.Sprintf("%s %s/%s", resource, u.plan.Velero, name))
			}
		}
	}
	_, err := u.env.Client.CoreV1().ConfigMaps(u.plan.Velero).Get(ctx, u.plan.Own, metav1.GetOptions{})
	switch {
	case missing(err):
		return left, nil
	case err != nil:
		return nil, fmt.Errorf("looking for the restore's resource modifiers %s/%s: %w", u.plan.Velero, u.plan.Own, err)
	default:
		return append(left, fmt.Sprintf("configmaps %s/%s", u.plan.Velero, u.plan.Own)), nil
	}
}
