package velero

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/backup/velero/files"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
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
	return u.undo(ctx)
}

// undoing is one try to undo.
type undoing struct {
	env    experiments.Env
	plan   restorePlan
	velero velero.Client
	done   []string
	// foreign says that the namespace is not the run's and stays.
	foreign bool
}

func (u *undoing) undo(ctx context.Context) (string, error) {
	// A restore that goes on would make the namespace anew.
	if err := u.restoreOver(ctx); err != nil {
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
	if left := u.left(ctx); left != nil {
		return "", left
	}
	if len(u.done) == 0 {
		return "", nil
	}
	return strings.Join(u.done, ", ") + " deleted; nothing is left", nil
}

// missing says that an object, or its whole kind, is not there.
func missing(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }

// overBudget is how long a restore in progress is waited for at each try.
const overBudget = 30 * time.Second

// restoreOver waits for the Restore to end. Velero can neither cancel one nor
// forget it: one that hangs keeps every later restore waiting.
func (u *undoing) restoreOver(ctx context.Context) error {
	restore, err := u.velero.Restore(ctx, u.plan.Own)
	if missing(err) {
		return nil
	}
	if err != nil || velero.RestoreEnded(restore.Status.Phase) {
		return err
	}
	if restore.Status.Phase == "" || restore.Status.Phase == velerov1.RestorePhaseNew {
		return nil // not begun: once it is deleted it never does
	}
	waiting, cancel := context.WithTimeout(ctx, min(overBudget, u.patience()))
	defer cancel()
	if _, err = u.velero.WaitRestore(waiting, u.plan.Own, nil); err == nil || missing(err) {
		return nil
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

// deleteNamespace begins to delete the scratch namespace, if it is the run's.
func (u *undoing) deleteNamespace(ctx context.Context) error {
	namespaces := u.env.Client.CoreV1().Namespaces()
	namespace, err := namespaces.Get(ctx, u.plan.Into, metav1.GetOptions{})
	switch {
	case missing(err):
		return nil
	case err != nil:
		return fmt.Errorf("looking for scratch namespace %s: %w", u.plan.Into, err)
	case namespace.Labels[experiments.LabelRun] != u.env.RunID:
		return u.leaveAlone(ctx)
	case namespace.DeletionTimestamp != nil:
		return nil
	}
	err = namespaces.Delete(ctx, u.plan.Into, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &namespace.UID}})
	if err != nil && !missing(err) {
		return fmt.Errorf("deleting scratch namespace %s: %w", u.plan.Into, err)
	}
	return nil
}

// leaveAlone is for a namespace that does not bear the run's mark. Without a Restore
// into it, it is somebody's who was quicker, and nothing of the run is in it.
func (u *undoing) leaveAlone(ctx context.Context) error {
	if _, err := u.velero.Restore(ctx, u.plan.Own); missing(err) {
		u.foreign = true
		return nil
	}
	return experiments.Lasting(fmt.Errorf(
		"deleting namespace %s: it does not bear the mark of run %s (label %s): look at it, and delete it by hand if it is the drill's", u.plan.Into, u.env.RunID, experiments.LabelRun))
}

// lastChance is how long even a namespace that has taken too long is waited for: once
// what kept it is gone, its controller looks again after some 15 seconds.
const lastChance = 30 * time.Second

// namespaceGone waits for the scratch namespace to go. One that takes longer than
// it may is stuck, and what keeps it is named.
func (u *undoing) namespaceGone(ctx context.Context) error {
	var last *corev1.Namespace
	seen := false
	least := time.Now().Add(lastChance)
	limit := time.Now().Add(u.patience())
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	err := kube.Follow(waiting, u.env.Client.CoreV1().Namespaces(),
		kube.FollowOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, u.plan.Into).String()},
		func(namespace *corev1.Namespace) (*corev1.Namespace, bool) { return namespace, true },
		func(view map[types.UID]*corev1.Namespace) bool {
			for _, namespace := range view {
				last, seen = namespace, true
				if at := namespace.DeletionTimestamp; at != nil {
					limit = at.Add(u.patience())
				}
				if limit.Before(least) {
					limit = least
				}
				time.AfterFunc(time.Until(limit), cancel)
				return false
			}
			return true
		})
	switch {
	case err == nil && seen:
		u.done = append(u.done, "namespace "+u.plan.Into)
		return nil
	case err == nil:
		return nil
	case last == nil || ctx.Err() != nil && time.Now().Before(limit):
		return fmt.Errorf("waiting until scratch namespace %s is gone: %w%s", u.plan.Into, err, keptBy(last))
	default:
		return experiments.Lasting(fmt.Errorf("scratch namespace %s is stuck in deletion for %s%s: remove what keeps it, and it goes by itself",
			u.plan.Into, u.patience(), keptBy(last)))
	}
}

// keptBy quotes what the namespace controller says keeps a namespace.
func keptBy(namespace *corev1.Namespace) string {
	if namespace == nil {
		return ""
	}
	var reasons []string
	for _, condition := range namespace.Status.Conditions {
		if condition.Status == corev1.ConditionTrue {
			reasons = append(reasons, condition.Message)
		}
	}
	if len(reasons) == 0 {
		return ""
	}
	return ": " + strings.Join(reasons, "; ")
}

// deleteRestore deletes the Restore. Velero's finalizer removes what is stored of it.
func (u *undoing) deleteRestore(ctx context.Context) error {
	if _, err := u.velero.Restore(ctx, u.plan.Own); err != nil {
		return ignoreMissing(err)
	}
	if err := u.velero.Delete(ctx, velero.Restores, u.plan.Own); err != nil {
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

// deleteBackup has Velero delete the backup of the step, with all that is stored
// of it. A backup that was there before is nobody's to delete.
func (u *undoing) deleteBackup(ctx context.Context) error {
	if !u.plan.New {
		return nil
	}
	backup, err := u.velero.Backup(ctx, u.plan.Backup)
	if err != nil {
		return ignoreMissing(err)
	}
	if backup.Labels[experiments.LabelRun] != u.env.RunID {
		return experiments.Lasting(fmt.Errorf("deleting backup %s/%s: it does not bear the mark of run %s: look at it, and delete it by hand if it is the drill's", u.plan.Velero, u.plan.Backup, u.env.RunID))
	}
	phase := backup.Status.Phase
	switch {
	case phase == "" || phase == velerov1.BackupPhaseNew || phase == velerov1.BackupPhaseFailedValidation:
		// Nothing is stored of it, so there is nothing that Velero had to delete.
		if err := u.velero.Delete(ctx, velero.Backups, u.plan.Backup); err != nil {
			return err
		}
	case !velero.BackupEnded(phase):
		if _, err := u.velero.WaitBackup(ctx, u.plan.Backup, nil); err != nil {
			return ignoreMissing(err)
		}
		fallthrough
	default:
		if err := u.askToDelete(ctx); err != nil {
			return err
		}
	}
	if err := u.velero.WaitGone(ctx, velero.Backups, u.plan.Backup); err != nil {
		return fmt.Errorf("%w%s", err, u.whyNotDeleted(ctx))
	}
	u.done = append(u.done, "backup "+u.plan.Backup)
	return nil
}

// askToDelete makes a new DeleteBackupRequest: Velero works on each once.
func (u *undoing) askToDelete(ctx context.Context) error {
	if err := u.velero.Delete(ctx, velero.DeleteRequests, u.plan.Own); err != nil {
		return err
	}
	return u.velero.Create(ctx, velero.DeleteRequests, "DeleteBackupRequest", &velerov1.DeleteBackupRequest{
		ObjectMeta: metav1.ObjectMeta{Name: u.plan.Own, Labels: map[string]string{experiments.LabelRun: u.env.RunID}},
		Spec:       velerov1.DeleteBackupRequestSpec{BackupName: u.plan.Backup},
	})
}

func (u *undoing) whyNotDeleted(ctx context.Context) string {
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	request, err := u.velero.DeleteRequest(asking, u.plan.Own)
	if err != nil || len(request.Status.Errors) == 0 {
		return ": is Velero up?"
	}
	return ": " + strings.Join(request.Status.Errors, "; ")
}

// deleteSmallThings deletes what the step has made beside the rest.
func (u *undoing) deleteSmallThings(ctx context.Context) error {
	err := u.env.Client.CoreV1().ConfigMaps(u.plan.Velero).Delete(ctx, u.plan.Own, metav1.DeleteOptions{})
	if ignoreMissing(err) != nil {
		return fmt.Errorf("deleting the restore's resource modifiers %s/%s: %w", u.plan.Velero, u.plan.Own, err)
	}
	for _, resource := range []string{velero.DownloadRequests, velero.DeleteRequests} {
		names, err := u.velero.Names(ctx, resource, u.mark())
		if err != nil {
			return ignoreMissing(err)
		}
		for _, name := range names {
			if err := u.velero.Delete(ctx, resource, name); err != nil {
				return err
			}
		}
	}
	return files.Remove(ctx, u.env.Client, experiments.Namespace, u.env.RunID)
}

func (u *undoing) mark() string { return experiments.LabelRun + "=" + u.env.RunID }

// volumesGone waits for the volumes that were made for the scratch namespace. One
// that is kept by its storage class holds what was restored, Secrets of the
// application perhaps, and is named.
func (u *undoing) volumesGone(ctx context.Context) error {
	kept := map[string]bool{}
	err := kube.Follow(ctx, u.env.Client.CoreV1().PersistentVolumes(), kube.FollowOptions{},
		func(volume *corev1.PersistentVolume) (*corev1.PersistentVolume, bool) {
			claim := volume.Spec.ClaimRef
			return volume, claim != nil && claim.Namespace == u.plan.Into
		},
		func(view map[types.UID]*corev1.PersistentVolume) bool {
			clear(kept)
			going := false
			for _, volume := range view {
				if volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete && volume.Status.Phase != corev1.VolumeFailed {
					going = true
					continue
				}
				kept[volume.Name] = true
			}
			return !going
		})
	switch {
	case apierrors.IsForbidden(err):
		u.env.Record.Record(journal.StepProgress, journal.Progress{Message: "whether volumes of " + u.plan.Into + " are left can't be told: listing persistentvolumes is not allowed"})
		return nil
	case err != nil:
		return fmt.Errorf("waiting until the volumes of %s are gone: %w", u.plan.Into, err)
	case len(kept) > 0:
		return experiments.Lasting(fmt.Errorf("volumes with what was restored are kept by their storage class: kubectl delete persistentvolume %s, and what is behind them", strings.Join(slices.Sorted(maps.Keys(kept)), " ")))
	}
	return nil
}

// left looks once more for anything that bears the mark of the run.
func (u *undoing) left(ctx context.Context) error {
	var left []string
	for _, resource := range []string{velero.Restores, velero.DownloadRequests, velero.DeleteRequests, velero.Backups} {
		names, err := u.velero.Names(ctx, resource, u.mark())
		if missing(err) {
			continue
		}
		if err != nil {
			return err
		}
		for _, name := range names {
			if name == u.plan.Own || strings.HasPrefix(name, u.plan.Own+"-") { // other steps undo their own
				left = append(left, resource+"/"+name)
			}
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("still there in namespace %s: %s", u.plan.Velero, strings.Join(left, ", "))
	}
	return nil
}
