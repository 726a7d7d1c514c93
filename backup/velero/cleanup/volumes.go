package cleanup

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
)

// volumesGone waits for the volumes that were made for the scratch namespace. One
// that is kept by its storage class holds what was restored, Secrets of the
// application perhaps, and is named.
func (u *undoing) volumesGone(ctx context.Context) error {
	kept, going := map[string]bool{}, map[string]bool{}
	err := kube.Follow(ctx, u.env.Client.CoreV1().PersistentVolumes(), kube.FollowOptions{},
		func(volume *corev1.PersistentVolume) (*corev1.PersistentVolume, bool) {
			claim := volume.Spec.ClaimRef
			return volume, claim != nil && claim.Namespace == u.made.Into
		},
		func(view map[types.UID]*corev1.PersistentVolume) bool {
			clear(kept)
			clear(going)
			for _, volume := range view {
				if volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete && volume.Status.Phase != corev1.VolumeFailed {
					going[volume.Name] = true
					continue
				}
				kept[volume.Name] = true
			}
			return len(going) == 0
		})
	switch {
	case apierrors.IsForbidden(err):
		u.tellUnknown("volumes of " + u.made.Into)
		return nil
	case err != nil:
		return fmt.Errorf("waiting until the volumes of %s are gone (%s): %w", u.made.Into, listed(going, ", "), err)
	case len(kept) > 0:
		return experiments.Lasting(fmt.Errorf("volumes with what was restored are kept by their storage class: kubectl delete persistentvolume %s, and what is behind them", listed(kept, " ")))
	}
	return nil
}
