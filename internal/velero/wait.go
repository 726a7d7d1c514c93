package velero

import (
	"context"
	"fmt"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/internal/kube"
)

// WaitBackup watches a Backup until it has ended and returns what it last saw
// of it. seen, if not nil, is told of every change. Velero sets no deadline for a
// backup, so ctx must; the error then says how far it had come.
func (c Client) WaitBackup(ctx context.Context, name string, seen func(*velerov1.Backup)) (*velerov1.Backup, error) {
	last := &velerov1.Backup{}
	err := c.follow(ctx, Backups, name, func(object *unstructured.Unstructured) (bool, error) {
		backup := &velerov1.Backup{}
		if err := decode(object, backup); err != nil {
			return false, err
		}
		last = backup
		if seen != nil {
			seen(backup)
		}
		return BackupEnded(backup.Status.Phase), nil
	})
	if err != nil {
		return last, fmt.Errorf("waiting for backup %s/%s, phase %q: %w", c.Namespace, name, last.Status.Phase, err)
	}
	return last, nil
}

// WaitRestore watches a Restore until it has ended, as WaitBackup does a Backup.
func (c Client) WaitRestore(ctx context.Context, name string, seen func(*velerov1.Restore)) (*velerov1.Restore, error) {
	last := &velerov1.Restore{}
	err := c.follow(ctx, Restores, name, func(object *unstructured.Unstructured) (bool, error) {
		restore := &velerov1.Restore{}
		if err := decode(object, restore); err != nil {
			return false, err
		}
		last = restore
		if seen != nil {
			seen(restore)
		}
		return RestoreEnded(restore.Status.Phase), nil
	})
	if err != nil {
		return last, fmt.Errorf("waiting for restore %s/%s, phase %q: %w", c.Namespace, name, last.Status.Phase, err)
	}
	return last, nil
}

// WaitGone watches until no object of that name is left.
func (c Client) WaitGone(ctx context.Context, resource, name string) error {
	err := kube.Follow(ctx, c.resource(resource), byName(name),
		func(*unstructured.Unstructured) (struct{}, bool) { return struct{}{}, true },
		func(view map[types.UID]struct{}) bool { return len(view) == 0 })
	if err != nil {
		return fmt.Errorf("waiting until %s %s/%s is gone: %w", resource, c.Namespace, name, err)
	}
	return nil
}

// follow watches one object until done says so. An object that is not there, or
// no longer, is an error of kind NotFound.
func (c Client) follow(ctx context.Context, resource, name string, done func(*unstructured.Unstructured) (bool, error)) error {
	var failure error
	err := kube.Follow(ctx, c.resource(resource), byName(name),
		func(object *unstructured.Unstructured) (*unstructured.Unstructured, bool) { return object, true },
		func(view map[types.UID]*unstructured.Unstructured) bool {
			for _, object := range view {
				var ended bool
				ended, failure = done(object)
				return ended || failure != nil
			}
			failure = fmt.Errorf("%s %s/%s is gone: somebody has deleted it: %w", resource, c.Namespace, name,
				apierrors.NewNotFound(schema.GroupResource{Group: Group, Resource: resource}, name))
			return true
		})
	if failure != nil {
		return failure
	}
	return err
}

func byName(name string) kube.FollowOptions {
	return kube.FollowOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()}
}
