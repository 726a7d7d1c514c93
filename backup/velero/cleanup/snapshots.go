package cleanup

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
)

// snapshotContents is what Velero makes of the cluster's own to restore from CSI
// snapshots (pkg/restore/actions/csi): it does not go with the scratch namespace. Those
// of groups of snapshots go last: the others refer to them.
func snapshotContents() []schema.GroupVersionResource {
	return []schema.GroupVersionResource{
		{Group: "snapshot.storage.k8s.io", Version: "v1", Resource: "volumesnapshotcontents"},
		{Group: "groupsnapshot.storage.k8s.io", Version: "v1beta2", Resource: "volumegroupsnapshotcontents"},
	}
}

// SnapshotPermissions are those to see and delete what Velero makes of the cluster's own
// to restore from snapshots. Without them it can't be told whether any is left.
func SnapshotPermissions() []kube.Permission {
	var all []kube.Permission
	for _, resource := range snapshotContents() {
		all = append(all, kube.Permission{Rule: kube.Rule(resource.Group, []string{resource.Resource}, "list", "watch", "delete"), Optional: true})
	}
	return all
}

// retained is the deletionPolicy with which nothing happens to the snapshot itself.
const retained = "Retain"

// keepSnapshots refuses to delete anything that would take a snapshot of the backup
// along. Velero restores contents with deletionPolicy Retain
// (volumesnapshotcontent_action.go), with which the storage is not asked to delete
// anything (kubernetes-csi/external-snapshotter, pkg/sidecar-controller, syncContent).
// With any other, the snapshot goes with its VolumeSnapshot in the scratch namespace.
func (u *undoing) keepSnapshots(ctx context.Context) error {
	for _, resource := range snapshotContents() {
		contents, err := u.contentsOf(ctx, resource)
		if err != nil && !apierrors.IsForbidden(err) {
			return err
		}
		for _, content := range contents {
			if policy, _, _ := unstructured.NestedString(content.Object, "spec", "deletionPolicy"); policy != retained {
				return experiments.Lasting(fmt.Errorf(
					`deleting namespace %[1]s: the backup's snapshot would go along with it, by %[2]s %[3]s with deletionPolicy %[4]q: kubectl patch %[2]s %[3]s --type merge -p '{"spec":{"deletionPolicy":"Retain"}}', then call gameday recover %[5]s`,
					u.made.Into, resource.Resource, content.GetName(), policy, u.env.RunID))
			}
		}
	}
	return nil
}

// snapshotContentsGone deletes what Velero has made to restore from snapshots, and
// waits for it to go.
func (u *undoing) snapshotContentsGone(ctx context.Context) error {
	for _, resource := range snapshotContents() {
		if err := u.contentsGone(ctx, resource); err != nil {
			return err
		}
	}
	return nil
}

func (u *undoing) contentsGone(ctx context.Context, resource schema.GroupVersionResource) error {
	contents, err := u.contentsOf(ctx, resource)
	if apierrors.IsForbidden(err) {
		u.tellUnknown(resource.Resource + " of the restore")
		return nil
	}
	if err != nil || len(contents) == 0 {
		return err
	}
	left := map[string]bool{}
	for _, content := range contents {
		left[content.GetName()] = true
	}
	all := u.env.Dynamic.Resource(resource)
	for _, content := range contents {
		uid, version := content.GetUID(), content.GetResourceVersion() // its policy is as it was seen
		err := all.Delete(ctx, content.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version}})
		if apierrors.IsForbidden(err) {
			return experiments.Lasting(fmt.Errorf("%s of the restore are left, and this user may not delete them; the backup's snapshots stay without them: kubectl delete %s %s",
				resource.Resource, resource.Resource, listed(left, " ")))
		}
		if ignoreMissing(err) != nil {
			return fmt.Errorf("deleting %s %s: %w", resource.Resource, content.GetName(), err)
		}
	}
	err = kube.Follow(ctx, all, kube.FollowOptions{LabelSelector: u.restoredByUs()},
		func(content *unstructured.Unstructured) (string, bool) { return content.GetName(), true },
		func(view map[types.UID]string) bool {
			clear(left)
			for _, name := range view {
				left[name] = true
			}
			return len(left) == 0
		})
	if err != nil {
		return fmt.Errorf("waiting until %s %s are gone: %w: is the snapshot controller up?", resource.Resource, listed(left, ", "), err)
	}
	u.done = append(u.done, fmt.Sprintf("%d %s", len(contents), resource.Resource))
	return nil
}

// contentsOf lists what Velero has made of a resource for the Restore. A cluster need
// not have it.
func (u *undoing) contentsOf(ctx context.Context, resource schema.GroupVersionResource) ([]*unstructured.Unstructured, error) {
	var contents []*unstructured.Unstructured
	_, err := kube.Each(ctx, u.env.Dynamic.Resource(resource), metav1.ListOptions{LabelSelector: u.restoredByUs()},
		func(content *unstructured.Unstructured) error {
			contents = append(contents, content)
			return nil
		})
	if ignoreMissing(err) != nil {
		return nil, fmt.Errorf("listing %s: %w", resource.Resource, err)
	}
	return contents, nil
}
