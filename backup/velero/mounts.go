package velero

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup/velero/files"
	"gameday.dev/gameday/internal/kube"
)

// pairs finds each volume where it is mounted: at the original's pod and at the
// restored one. gone are those of which the original has no pod any more.
func (c *climb) pairs(ctx context.Context, volumes []restoredVolume) (pairs []files.Pair, gone []string, err error) {
	originals, err := c.mountsOf(ctx, c.plan.Source)
	if err != nil {
		return nil, nil, err
	}
	copies, err := c.mountsOf(ctx, c.plan.Into)
	if err != nil {
		return nil, nil, err
	}
	for _, volume := range volumes {
		original, there := originals.find(volume.volumeBackup)
		restored, came := copies.find(volume.volumeBackup)
		switch {
		case !came:
			gone = append(gone, fmt.Sprintf("%s: the restored pod is gone", volume))
			continue
		case !there:
			gone = append(gone, fmt.Sprintf("%s: no pod of the original has it mounted", volume))
			continue
		}
		pair := files.Pair{Source: original.volume(), Restored: restored.volume(), UsedSince: usedSince(restored.pod)}
		if began := volume.Files.Status.StartTimestamp; began != nil {
			pair.BackedUpAt = began.Time
		}
		pairs = append(pairs, pair)
	}
	return pairs, gone, nil
}

// mounts are the pods of a namespace and the claims that they mount.
type mounts struct {
	pods   map[string]*corev1.Pod
	claims map[string]*corev1.PersistentVolumeClaim
}

func (c *climb) mountsOf(ctx context.Context, namespace string) (mounts, error) {
	m := mounts{pods: map[string]*corev1.Pod{}, claims: map[string]*corev1.PersistentVolumeClaim{}}
	_, err := kube.Each(ctx, c.env.Client.CoreV1().Pods(namespace), metav1.ListOptions{}, func(pod *corev1.Pod) error {
		m.pods[pod.Name] = pod
		return nil
	})
	if err != nil {
		return m, fmt.Errorf("listing pods of namespace %s: %w", namespace, err)
	}
	_, err = kube.Each(ctx, c.env.Client.CoreV1().PersistentVolumeClaims(namespace), metav1.ListOptions{}, func(claim *corev1.PersistentVolumeClaim) error {
		m.claims[claim.Name] = claim
		return nil
	})
	if err != nil {
		return m, fmt.Errorf("listing claims of namespace %s: %w", namespace, err)
	}
	return m, nil
}

// mount is a volume in a pod that has a node.
type mount struct {
	pod   *corev1.Pod
	name  string
	claim *corev1.PersistentVolumeClaim // nil without one
}

// find finds a volume in the pod that it was backed up through or, where that has
// been replaced, in any other that mounts its claim.
func (m mounts) find(volume volumeBackup) (mount, bool) {
	if pod, there := m.pods[volume.Pod]; there && hasMounts(pod) {
		return mount{pod, volume.Name, m.claims[volume.Claim]}, true
	}
	if volume.Claim == "" {
		return mount{}, false
	}
	for _, name := range slices.Sorted(maps.Keys(m.pods)) {
		pod := m.pods[name]
		for _, one := range pod.Spec.Volumes {
			if claim := one.PersistentVolumeClaim; hasMounts(pod) && claim != nil && claim.ClaimName == volume.Claim {
				return mount{pod, one.Name, m.claims[volume.Claim]}, true
			}
		}
	}
	return mount{}, false
}

// hasMounts says whether the volumes of a pod are mounted on a node, or soon will be.
func hasMounts(pod *corev1.Pod) bool {
	over := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	return pod.Spec.NodeName != "" && !over && pod.DeletionTimestamp == nil
}

// volume is what a reader on the node has to know. A kubelet calls the directory of
// a claim's volume by its PersistentVolume.
func (m mount) volume() files.Volume {
	v := files.Volume{
		Pod:  kube.PodRef{Namespace: m.pod.Namespace, Name: m.pod.Name, UID: m.pod.UID},
		Node: m.pod.Spec.NodeName, Name: m.name,
	}
	if m.claim != nil {
		v.Claim, v.PV = m.claim.Name, m.claim.Spec.VolumeName
		v.Block = m.claim.Spec.VolumeMode != nil && *m.claim.Spec.VolumeMode == corev1.PersistentVolumeBlock
	}
	return v
}

// usedSince is when the restored application began; zero when it never did.
func usedSince(pod *corev1.Pod) time.Time {
	var first time.Time
	for _, status := range pod.Status.ContainerStatuses {
		for _, state := range []corev1.ContainerState{status.State, status.LastTerminationState} {
			var began time.Time
			if state.Running != nil {
				began = state.Running.StartedAt.Time
			} else if state.Terminated != nil {
				began = state.Terminated.StartedAt.Time
			}
			if !began.IsZero() && began.Unix() > 0 && (first.IsZero() || began.Before(first)) {
				first = began
			}
		}
	}
	return first
}
