package velero

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
)

// planVolumes refuses a restore that would use a volume of somebody's: one that the
// copy would share with the original, and one that is there for the scratch namespace.
func (s *Restore) planVolumes(ctx context.Context, env experiments.Env, own restorePlan, plan *experiments.Plan) error {
	if s.Volumes.Compare && env.Image == "" {
		return refusal.New("set image in the Environment, or --image, to an image with gameday in it that nodes can pull; or leave volumes.compare out",
			"comparing the files of volumes needs pods that look at them, and no image is known")
	}
	claims, err := s.claimsNotBackedUp(ctx, env, own)
	if err != nil {
		return err
	}
	var shared []error
	reserved, kept := map[string]bool{}, map[string]bool{}
	_, err = kube.Each(ctx, env.Client.CoreV1().PersistentVolumes(), metav1.ListOptions{}, func(volume *corev1.PersistentVolume) error {
		policy := volume.Spec.PersistentVolumeReclaimPolicy
		switch of := volume.Spec.ClaimRef; {
		case of == nil:
		case of.Namespace == s.Into:
			reserved[volume.Name] = true
		case of.Namespace == own.Source && policy == corev1.PersistentVolumeReclaimRetain && volume.Status.Phase == corev1.VolumeBound:
			kept[volume.Name] = true
		}
		claim, ours := claims[volume.Name]
		delete(claims, volume.Name) // a list may name one twice
		if ours && policy != corev1.PersistentVolumeReclaimDelete && volume.Spec.CSI == nil {
			shared = append(shared, fmt.Errorf("claim %s of volume %s", claim, volume.Name))
		}
		return nil
	})
	if apierrors.IsForbidden(err) && !own.New {
		plan.Warnings = append(plan.Warnings, "whether volumes are reserved for "+s.Into+", which the copy would use, can't be told: listing persistentvolumes is not allowed")
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing persistentvolumes: %w", err)
	}
	if err := refuseShared(shared); err != nil {
		return err
	}
	if len(kept) > 0 && !slices.Contains(s.Exclude, contents.Claims().String()) {
		plan.Warnings = append(plan.Warnings, keptWarning(len(kept), own.Source))
	}
	return s.refuseReserved(reserved)
}

// keptWarning tells of volumes that stay when their claims go: Velero gives most of those
// of the copy the policy that the original's had (pkg/controller/restore_finalizer_controller.go,
// patchDynamicPVWithVolumeInfo), and nobody but their owner says what may be deleted.
func keptWarning(count int, namespace string) string {
	return fmt.Sprintf("%d volumes of %s are kept when their claims go (Retain), and so may be those of the copy: the run would name them as left, with exit code 4", count, namespace)
}

// refuseShared refuses PersistentVolumes that are kept (reclaim policy Retain) and
// whose content is not in the backup: they are restored as they are
// (pkg/restore/restore.go, handleSkippedPVHasRetainPolicy). What a backup holds is
// looked at again before the restore begins.
func refuseShared(shared []error) error {
	if len(shared) == 0 {
		return nil
	}
	return refusal.New("mount it in a running pod, so that its files are backed up, or use a driver with snapshots",
		"the copy would share a volume with the original: it is kept (Retain) and its content would not be in the backup: %v", errors.Join(shared...))
}

// refuseReserved refuses a scratch namespace that PersistentVolumes are bound to or
// reserved for. A claim of the copy would get a reserved one by its name, write to it,
// and take it along when it goes; and one that was kept from an earlier namespace of
// that name could not be told from the drill's own.
func (s *Restore) refuseReserved(reserved map[string]bool) error {
	if len(reserved) == 0 {
		return nil
	}
	return refusal.New("name another one in into",
		"volumes are bound to claims of a namespace %s, or reserved for them (claimRef): the copy would use them: %s", s.Into, strings.Join(slices.Sorted(maps.Keys(reserved)), ", "))
}

// claimsNotBackedUp are the claims of the original, by their volumes, whose files
// would not be in a backup taken now. Nobody needs them of one that is there.
func (s *Restore) claimsNotBackedUp(ctx context.Context, env experiments.Env, own restorePlan) (map[string]string, error) {
	if !own.New {
		return nil, nil
	}
	namespace := own.Source
	mounted, err := mountedClaims(ctx, env, namespace)
	if err != nil {
		return nil, err
	}
	claims := map[string]string{}
	_, err = kube.Each(ctx, env.Client.CoreV1().PersistentVolumeClaims(namespace), metav1.ListOptions{}, func(claim *corev1.PersistentVolumeClaim) error {
		if byFiles := s.filesystemBackups() && mounted[claim.Name]; claim.Spec.VolumeName != "" && !byFiles {
			claims[claim.Spec.VolumeName] = claim.Name
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing claims of namespace %s: %w", namespace, err)
	}
	return claims, nil
}

// mountedClaims are those that a running pod has, whose files can be backed up.
func mountedClaims(ctx context.Context, env experiments.Env, namespace string) (map[string]bool, error) {
	mounted := map[string]bool{}
	_, err := kube.Each(ctx, env.Client.CoreV1().Pods(namespace), metav1.ListOptions{}, func(pod *corev1.Pod) error {
		if pod.Status.Phase != corev1.PodRunning {
			return nil
		}
		for _, volume := range pod.Spec.Volumes {
			if claim := volume.PersistentVolumeClaim; claim != nil {
				mounted[claim.ClaimName] = true
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing pods of namespace %s: %w", namespace, err)
	}
	return mounted, nil
}
