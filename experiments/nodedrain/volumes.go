package nodedrain

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/internal/kube"
)

// volumesOf names the PersistentVolumes behind the pods' claims.
func volumesOf(ctx context.Context, client kubernetes.Interface, pods []*corev1.Pod) ([]string, error) {
	var volumes []string
	for _, pod := range pods {
		for _, name := range claims(pod) {
			claim, err := client.CoreV1().PersistentVolumeClaims(pod.Namespace).Get(ctx, name, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				continue // the pod has not got it yet either
			}
			if err != nil {
				return nil, fmt.Errorf("reading persistentvolumeclaim %s/%s: %w", pod.Namespace, name, err)
			}
			if claim.Spec.VolumeName != "" {
				volumes = append(volumes, claim.Spec.VolumeName)
			}
		}
	}
	slices.Sort(volumes)
	return slices.Compact(volumes), nil
}

// awaitDetached waits until none of the volumes is attached to the nodes and
// returns those that still are when ctx ends.
func awaitDetached(ctx context.Context, client kubernetes.Interface, nodes, volumes []string) ([]string, error) {
	if len(volumes) == 0 {
		return nil, nil
	}
	var attached []string
	err := kube.Follow(ctx, client.StorageV1().VolumeAttachments(), kube.FollowOptions{},
		func(attachment *storagev1.VolumeAttachment) (string, bool) {
			volume := attachment.Spec.Source.PersistentVolumeName
			return fmt.Sprintf("%s on %s", deref(volume), attachment.Spec.NodeName),
				volume != nil && slices.Contains(volumes, *volume) && slices.Contains(nodes, attachment.Spec.NodeName)
		},
		func(view map[types.UID]string) bool {
			attached = attached[:0]
			for _, name := range view {
				attached = append(attached, name)
			}
			slices.Sort(attached)
			return len(attached) == 0
		})
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("watching volumeattachments: %w", err)
	}
	return attached, nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
