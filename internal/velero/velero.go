// Package velero speaks to Velero through its custom resources: it reads and
// makes them, waits for them, and fetches what Velero keeps in its object store.
// It knows what phases mean and judges nothing. Fields that a version of Velero
// does not know are left out by its API server; phases and fields that this
// build does not know are kept as they are read: Velero 1.16 to 1.18 are spoken
// to alike.
package velero

import (
	"context"
	"fmt"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"gameday.dev/gameday/internal/kube"
)

// Group is the API group of Velero's own resources.
const Group = "velero.io"

// The resources that gameday uses.
const (
	Backups          = "backups"
	Restores         = "restores"
	Schedules        = "schedules"
	StorageLocations = "backupstoragelocations"
	DownloadRequests = "downloadrequests"
	DeleteRequests   = "deletebackuprequests"
	VolumeBackups    = "podvolumebackups"
	VolumeRestores   = "podvolumerestores"
)

// Client reaches the Velero of one namespace.
type Client struct {
	Dynamic   dynamic.Interface
	Namespace string
}

func (c Client) resource(name string) dynamic.ResourceInterface {
	return c.Dynamic.Resource(schema.GroupVersionResource{Group: Group, Version: "v1", Resource: name}).Namespace(c.Namespace)
}

// Backup reads one Backup.
func (c Client) Backup(ctx context.Context, name string) (*velerov1.Backup, error) {
	backup := &velerov1.Backup{}
	return backup, c.get(ctx, Backups, name, backup)
}

// Restore reads one Restore.
func (c Client) Restore(ctx context.Context, name string) (*velerov1.Restore, error) {
	restore := &velerov1.Restore{}
	return restore, c.get(ctx, Restores, name, restore)
}

// Schedule reads one Schedule.
func (c Client) Schedule(ctx context.Context, name string) (*velerov1.Schedule, error) {
	schedule := &velerov1.Schedule{}
	return schedule, c.get(ctx, Schedules, name, schedule)
}

// StorageLocation reads one BackupStorageLocation.
func (c Client) StorageLocation(ctx context.Context, name string) (*velerov1.BackupStorageLocation, error) {
	location := &velerov1.BackupStorageLocation{}
	return location, c.get(ctx, StorageLocations, name, location)
}

// DeleteRequest reads one DeleteBackupRequest.
func (c Client) DeleteRequest(ctx context.Context, name string) (*velerov1.DeleteBackupRequest, error) {
	request := &velerov1.DeleteBackupRequest{}
	return request, c.get(ctx, DeleteRequests, name, request)
}

// EachBackup visits the backups that a label selector chooses, page by page.
func (c Client) EachBackup(ctx context.Context, selector string, visit func(*velerov1.Backup) error) error {
	return c.each(ctx, Backups, selector, func(object *unstructured.Unstructured) error {
		backup := &velerov1.Backup{}
		if err := decode(object, backup); err != nil {
			return err
		}
		return visit(backup)
	})
}

// EachSchedule visits all schedules.
func (c Client) EachSchedule(ctx context.Context, visit func(*velerov1.Schedule) error) error {
	return c.each(ctx, Schedules, "", func(object *unstructured.Unstructured) error {
		schedule := &velerov1.Schedule{}
		if err := decode(object, schedule); err != nil {
			return err
		}
		return visit(schedule)
	})
}

// EachStorageLocation visits all storage locations.
func (c Client) EachStorageLocation(ctx context.Context, visit func(*velerov1.BackupStorageLocation) error) error {
	return c.each(ctx, StorageLocations, "", func(object *unstructured.Unstructured) error {
		location := &velerov1.BackupStorageLocation{}
		if err := decode(object, location); err != nil {
			return err
		}
		return visit(location)
	})
}

// VolumeBackups lists the PodVolumeBackups of a backup.
func (c Client) VolumeBackups(ctx context.Context, backup string) ([]velerov1.PodVolumeBackup, error) {
	var all []velerov1.PodVolumeBackup
	err := c.each(ctx, VolumeBackups, velerov1.BackupNameLabel+"="+LabelValue(backup), func(object *unstructured.Unstructured) error {
		var one velerov1.PodVolumeBackup
		if err := decode(object, &one); err != nil {
			return err
		}
		all = append(all, one)
		return nil
	})
	return all, err
}

// VolumeRestores lists the PodVolumeRestores of a restore.
func (c Client) VolumeRestores(ctx context.Context, restore string) ([]velerov1.PodVolumeRestore, error) {
	var all []velerov1.PodVolumeRestore
	err := c.each(ctx, VolumeRestores, velerov1.RestoreNameLabel+"="+LabelValue(restore), func(object *unstructured.Unstructured) error {
		var one velerov1.PodVolumeRestore
		if err := decode(object, &one); err != nil {
			return err
		}
		all = append(all, one)
		return nil
	})
	return all, err
}

// Create makes one of Velero's resources; kind is that of object. When ctx ends while
// the request is on its way, the answer is still awaited for a moment: whoever
// cleans up then finds what was made.
func (c Client) Create(ctx context.Context, resource, kind string, object metav1.Object) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return fmt.Errorf("encoding %s %s: %w", kind, object.GetName(), err)
	}
	whole := &unstructured.Unstructured{Object: content}
	whole.SetAPIVersion(Group + "/v1")
	whole.SetKind(kind)
	whole.SetNamespace(c.Namespace)
	unstructured.RemoveNestedField(whole.Object, "status")
	if ctx.Err() != nil {
		return fmt.Errorf("creating %s %s/%s: %w", kind, c.Namespace, object.GetName(), context.Cause(ctx))
	}
	asking, stopAsking := kube.Linger(ctx)
	defer stopAsking()
	if _, err := c.resource(resource).Create(asking, whole, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating %s %s/%s: %w", kind, c.Namespace, object.GetName(), err)
	}
	return nil
}

// Delete deletes one resource; one that is gone already is no error.
func (c Client) Delete(ctx context.Context, resource, name string) error {
	return c.delete(ctx, resource, name, metav1.Preconditions{})
}

// DeleteThis deletes an object that was read, and no other of its name. One that is
// gone already is no error; one that was made anew is an error of kind Conflict.
func (c Client) DeleteThis(ctx context.Context, resource string, object metav1.Object) error {
	uid := object.GetUID()
	return c.delete(ctx, resource, object.GetName(), metav1.Preconditions{UID: &uid})
}

// DeleteUnchanged deletes an object as DeleteThis does, unless somebody has written it
// since it was read: that is an error of kind Conflict too.
func (c Client) DeleteUnchanged(ctx context.Context, resource string, object metav1.Object) error {
	uid, version := object.GetUID(), object.GetResourceVersion()
	return c.delete(ctx, resource, object.GetName(), metav1.Preconditions{UID: &uid, ResourceVersion: &version})
}

func (c Client) delete(ctx context.Context, resource, name string, only metav1.Preconditions) error {
	err := c.resource(resource).Delete(ctx, name, metav1.DeleteOptions{Preconditions: &only})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting %s %s/%s: %w", resource, c.Namespace, name, err)
	}
	return nil
}

// Names lists the names of a resource's objects that a label selector chooses.
func (c Client) Names(ctx context.Context, resource, selector string) ([]string, error) {
	var names []string
	err := c.each(ctx, resource, selector, func(object *unstructured.Unstructured) error {
		names = append(names, object.GetName())
		return nil
	})
	return names, err
}

func (c Client) get(ctx context.Context, resource, name string, into any) error {
	object, err := c.resource(resource).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("reading %s %s/%s: %w", resource, c.Namespace, name, err)
	}
	return decode(object, into)
}

func (c Client) each(ctx context.Context, resource, selector string, visit func(*unstructured.Unstructured) error) error {
	if _, err := kube.Each(ctx, c.resource(resource), metav1.ListOptions{LabelSelector: selector}, visit); err != nil {
		return fmt.Errorf("listing %s in namespace %s: %w", resource, c.Namespace, err)
	}
	return nil
}

func decode(object *unstructured.Unstructured, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, into); err != nil {
		return fmt.Errorf("reading %s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err)
	}
	return nil
}
