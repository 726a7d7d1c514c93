package cleanup

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
)

// deleteNamespace begins to delete the scratch namespace, if it is the run's.
func (u *undoing) deleteNamespace(ctx context.Context) error {
	namespaces := u.env.Client.CoreV1().Namespaces()
	namespace, err := namespaces.Get(ctx, u.made.Into, metav1.GetOptions{})
	switch {
	case missing(err):
		return nil
	case err != nil:
		return fmt.Errorf("looking for scratch namespace %s: %w", u.made.Into, err)
	case namespace.Labels[experiments.LabelRun] != u.env.RunID:
		return u.leaveAlone(ctx, namespace)
	}
	u.going = true
	if namespace.DeletionTimestamp != nil {
		return nil
	}
	err = namespaces.Delete(ctx, u.made.Into, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &namespace.UID}})
	if err != nil && !missing(err) {
		return fmt.Errorf("deleting scratch namespace %s: %w", u.made.Into, err)
	}
	return nil
}

// leaveAlone is for a namespace that does not bear the run's mark. It is somebody's
// who was quicker, unless the run has restored into it: Velero makes a namespace
// that is gone anew, as the backup has it (pkg/util/kube/utils.go,
// EnsureNamespaceExistsAndIsReady).
func (u *undoing) leaveAlone(ctx context.Context, namespace *corev1.Namespace) error {
	_, err := u.restore(ctx)
	if err == nil {
		return u.ours("namespace "+u.made.Into, namespace)
	}
	if !missing(err) {
		return err
	}
	restored, err := u.restoredInto(ctx)
	if err != nil {
		return fmt.Errorf("looking for what is restored in namespace %s: %w", u.made.Into, err)
	}
	if restored == "" {
		u.foreign = true
		return nil
	}
	return experiments.Lasting(fmt.Errorf(
		"deleting namespace %[1]s: %[2]s in it was restored by %[3]s, and yet it does not bear the mark of run %[4]s (label %[5]s): Velero has made it anew after somebody had deleted it: look at it, then kubectl delete namespace %[1]s, and call gameday recover %[4]s",
		u.made.Into, restored, u.made.Own, u.env.RunID, experiments.LabelRun))
}

// restoredInto names an object of the scratch namespace that Velero has restored for
// the run, of any kind; empty when there is none.
func (u *undoing) restoredInto(ctx context.Context) (string, error) {
	kinds, err := u.kinds()
	if err != nil {
		return "", err
	}
	one := metav1.ListOptions{LabelSelector: u.restoredByUs(), Limit: 1}
	for _, resource := range kinds {
		of := schema.GroupVersionResource{Group: resource.Group, Version: resource.Version, Resource: resource.Name}
		list, err := u.env.Dynamic.Resource(of).Namespace(u.made.Into).List(ctx, one)
		if ignoreMissing(err) != nil {
			return "", fmt.Errorf("listing %s: %w", resource, err)
		}
		if err == nil && len(list.Items) > 0 {
			return resource.Kind + " " + list.Items[0].GetName(), nil
		}
	}
	return "", nil
}

// lastChance is how long even a namespace that has taken too long is waited for: once
// what kept it is gone, its controller looks again after some 15 seconds.
const lastChance = 30 * time.Second

// namespaceGone waits for the scratch namespace to go. One that takes longer than
// it may is stuck, and what keeps it is named.
func (u *undoing) namespaceGone(ctx context.Context) error {
	var last *corev1.Namespace
	least := time.Now().Add(lastChance)
	limit := time.Now().Add(u.made.Patience)
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	err := kube.Follow(waiting, u.env.Client.CoreV1().Namespaces(),
		kube.FollowOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, u.made.Into).String()},
		func(namespace *corev1.Namespace) (*corev1.Namespace, bool) { return namespace, true },
		func(view map[types.UID]*corev1.Namespace) bool {
			for _, namespace := range view {
				last = namespace
				if at := namespace.DeletionTimestamp; at != nil {
					limit = at.Add(u.made.Patience)
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
	case err == nil && u.going:
		u.done = append(u.done, "namespace "+u.made.Into)
		return nil
	case err == nil:
		return nil
	case last == nil || ctx.Err() != nil && time.Now().Before(limit):
		return fmt.Errorf("waiting until scratch namespace %s is gone: %w%s", u.made.Into, err, keptBy(last))
	default:
		return experiments.Lasting(fmt.Errorf("scratch namespace %s is stuck in deletion for %s%s: remove what keeps it, and it goes by itself",
			u.made.Into, u.made.Patience, keptBy(last)))
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
