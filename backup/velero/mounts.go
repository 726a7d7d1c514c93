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
// restored one. gone are those that can't be looked at on both sides.
func (c *climb) pairs(ctx context.Context, volumes []volumeBackup) (pairs []files.Pair, gone []string, err error) {
	originals, err := c.mountsOf(ctx, c.plan.Source)
	if err != nil {
		return nil, nil, err
	}
	copies, err := c.mountsOf(ctx, c.plan.Into)
	if err != nil {
		return nil, nil, err
	}
	for _, volume := range volumes {
		pair, why := pairOf(volume, originals, copies, c.backup.Status.StartTimestamp)
		if why != "" {
			gone = append(gone, fmt.Sprintf("%s: %s", volume, why))
			continue
		}
		pairs = append(pairs, pair)
	}
	return pairs, gone, nil
}

// pairOf finds one volume on both sides, or says why it can't be compared. began is
// when the backup did; a snapshot does not tell its own moment by the node's clock.
func pairOf(volume volumeBackup, originals, copies mounts, began *metav1.Time) (files.Pair, string) {
	original, there := originals.find(volume)
	restored, came := copies.find(volume)
	blocks := volume.Snapshot != nil && !volume.Snapshot.Moved
	if volume.Files != nil {
		began = volume.Files.Status.StartTimestamp
	}
	switch {
	case !came:
		return files.Pair{}, "no restored pod has it mounted"
	case volume.Snapshot != nil && !isMounted(restored.pod):
		return files.Pair{}, fmt.Sprintf("restored pod %s has not mounted it yet", restored.pod.Name)
	case !there:
		return files.Pair{}, "no pod of the original has it mounted"
	case began == nil:
		return files.Pair{}, "Velero does not say when it was backed up"
	}
	return files.Pair{
		Source: original.volume(), Restored: restored.volume(), BackedUpAt: began.Time, UsedSince: usedSince(restored.pod), FSGroup: fsGroup(restored.pod), Blocks: blocks,
		Empty: volume.Files != nil && volume.Files.Status.Progress.TotalBytes == 0,
	}, ""
}

// mostSettling is how long after a restore the claims of its snapshots may take to
// be bound, and mounted. Storage systems make a volume of a snapshot in the meantime.
const mostSettling = 3 * time.Minute

// settled waits for the claims of restored snapshots, for no longer than mostSettling,
// and returns what the scratch namespace has by then.
func (c *climb) settled(ctx context.Context, volumes []volumeBackup) (mounts, error) {
	for began := time.Now(); ; {
		copies, err := c.mountsOf(ctx, c.plan.Into)
		if err != nil {
			return copies, err
		}
		waits := slices.ContainsFunc(volumes, func(v volumeBackup) bool {
			return v.Snapshot != nil && !copies.has(v, c.spec.Volumes.Compare)
		})
		if !waits || time.Since(began) > mostSettling {
			return copies, nil
		}
		if err := kube.Pause(ctx, lookAgain); err != nil {
			return copies, fmt.Errorf("waiting for the claims of snapshots: %w", err)
		}
	}
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
		if as := volumeOf(pod, volume.Claim); as != "" && hasMounts(pod) {
			return mount{pod, as, m.claims[volume.Claim]}, true
		}
	}
	return mount{}, false
}

// volumeOf is how a pod calls the volume of a claim; empty when it mounts none of it.
func volumeOf(pod *corev1.Pod, claim string) string {
	for _, volume := range pod.Spec.Volumes {
		if source := volume.PersistentVolumeClaim; source != nil && source.ClaimName == claim {
			return volume.Name
		}
	}
	return ""
}

// has says that the claim of a volume is bound and, when asked, mounted by the pod
// that it is found through, if there is or will be one.
func (m mounts) has(volume volumeBackup, mounted bool) bool {
	claim, there := m.claims[volume.Claim]
	if !there || claim.Status.Phase != corev1.ClaimBound || !mounted {
		return there && claim.Status.Phase == corev1.ClaimBound
	}
	at, found := m.find(volume)
	return found && isMounted(at.pod) || !found && !m.wants(volume.Claim)
}

// wants says whether any pod mounts a claim, be it without a node as yet.
func (m mounts) wants(claim string) bool {
	for _, pod := range m.pods {
		if volumeOf(pod, claim) != "" && !kube.Finished(pod) && !kube.Terminating(pod) {
			return true
		}
	}
	return false
}

// isMounted says that a kubelet has mounted the volumes of a pod: it does so before
// it makes the sandbox, and before it looks for images and commands.
func isMounted(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReadyToStartContainers && condition.Status == corev1.ConditionTrue {
			return true
		}
	}
	for _, container := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		waiting := container.State.Waiting
		if waiting == nil || waiting.Reason != "" && waiting.Reason != "ContainerCreating" && waiting.Reason != "PodInitializing" {
			return true
		}
	}
	return false
}

// hasMounts says whether the volumes of a pod are mounted on a node, or soon will be.
func hasMounts(pod *corev1.Pod) bool {
	return pod.Spec.NodeName != "" && !kube.Finished(pod) && !kube.Terminating(pod)
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

func fsGroup(pod *corev1.Pod) *int64 {
	if pod.Spec.SecurityContext == nil {
		return nil
	}
	return pod.Spec.SecurityContext.FSGroup
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
