package velero

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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

func (u *undoing) patience() time.Duration {
	return time.Duration(u.plan.CleanupSeconds * float64(time.Second))
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
