// Package cleanup deletes what a drill has made in a cluster to restore a Velero
// backup, waits until it is gone, looks once more, and names what is left. It is told
// the names that were recorded before anything was made, and believes none of them: what
// it deletes bears the run's mark or, of what Velero restores, the name of the Restore,
// which its caller has seen to be the run's. It judges nothing and makes nothing but the
// request by which Velero deletes a backup.
package cleanup

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify/objects"
)

// Made names what a step may have made. Nothing of it need be there.
type Made struct {
	// Velero is the namespace of Velero.
	Velero string
	// Into is the scratch namespace.
	Into string
	// Backup was restored; it was taken by the step, and so is deleted, when New.
	Backup string
	New    bool
	// Own is how the step calls what it makes in Velero's namespace: the backup if it is
	// New, the Restore, the ConfigMap of modifiers, and, with a suffix, DownloadRequests.
	Own string
	// Readers says that there may be pods that read files.
	Readers bool
	// Patience is how long deleting the scratch namespace may take.
	Patience time.Duration
}

// Undo deletes what a step has made and says so; empty when there was nothing. An error
// that waiting does not mend is experiments.Lasting. kinds are all that a namespace can
// hold. They are asked for only if the scratch namespace does not bear the run's mark.
func Undo(ctx context.Context, env experiments.Env, made Made, kinds func() ([]objects.Resource, error)) (string, error) {
	u := &undoing{env: env, made: made, kinds: kinds, velero: velero.Client{Dynamic: env.Dynamic, Namespace: made.Velero}}
	return u.undo(ctx)
}

// undoing is one try to undo.
type undoing struct {
	env    experiments.Env
	made   Made
	kinds  func() ([]objects.Resource, error)
	velero velero.Client
	done   []string
	// going says that the scratch namespace was there and is being deleted.
	going bool
	// pending is what Velero waits for before the Restore ends, when it makes nothing more.
	pending error
	// unknown is what the user may not list.
	unknown []string
	// foreign says that the namespace is not the run's and stays.
	foreign bool
}

func (u *undoing) undo(ctx context.Context) (string, error) {
	// A restore that goes on would make the namespace anew.
	if err := u.nothingIsMade(ctx); err != nil {
		return "", err
	}
	if err := u.keepSnapshots(ctx); err != nil {
		return "", err
	}
	// Deleting the namespace takes longest: the rest is done meanwhile.
	if err := u.deleteNamespace(ctx); err != nil {
		return "", err
	}
	if err := errors.Join(u.deleteWhenOver(ctx), u.deleteSmallThings(ctx)); err != nil {
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

// deleteWhenOver deletes the Restore, and the backup, with which Velero would delete the
// Restore too, unless it is not through with that: what it stores then would come back.
func (u *undoing) deleteWhenOver(ctx context.Context) error {
	if u.pending != nil {
		return u.pending
	}
	return errors.Join(u.deleteRestore(ctx), u.deleteBackup(ctx))
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

// missing says that an object, or its whole kind, is not there.
func missing(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }

func ignoreMissing(err error) error {
	if missing(err) {
		return nil
	}
	return err
}

// listed are names in order.
func listed(names map[string]bool, separator string) string {
	return strings.Join(slices.Sorted(maps.Keys(names)), separator)
}
