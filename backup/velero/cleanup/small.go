package cleanup

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup/velero/files"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/velero"
)

// deleteSmallThings deletes what the step has made beside the rest.
func (u *undoing) deleteSmallThings(ctx context.Context) error {
	return errors.Join(u.deleteModifiers(ctx), u.deleteRequests(ctx), u.removeReaders(ctx))
}

func (u *undoing) deleteModifiers(ctx context.Context) error {
	configMaps := u.env.Client.CoreV1().ConfigMaps(u.made.Velero)
	modifiers, err := configMaps.Get(ctx, u.made.Own, metav1.GetOptions{})
	if err == nil {
		if err := u.ours(u.inVelero("configmap", u.made.Own), modifiers); err != nil {
			return err
		}
		err = configMaps.Delete(ctx, u.made.Own, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &modifiers.UID}})
	}
	if ignoreMissing(err) != nil {
		return fmt.Errorf("deleting the restore's resource modifiers %s/%s: %w", u.made.Velero, u.made.Own, err)
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
	if u.made.New {
		return []string{velero.DownloadRequests, velero.DeleteRequests}
	}
	return []string{velero.DownloadRequests}
}

func (u *undoing) removeReaders(ctx context.Context) error {
	if !u.made.Readers {
		return nil
	}
	return files.Remove(ctx, u.env.Client, experiments.Namespace, u.env.RunID)
}
