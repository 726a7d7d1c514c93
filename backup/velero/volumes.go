package velero

import (
	"context"
	"fmt"
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/internal/kube"
)

// volumeBackup is a volume of the original, as a pod or a claim of the backup
// names it, and what the backup has of its content.
type volumeBackup struct {
	// Pod and Name are of the pod's volume, empty for a claim that no pod mounts.
	Pod, Name string
	// Claim is empty for a volume without one.
	Claim string
	// Files is the file system backup of its content; nil when there is none.
	Files *velerov1.PodVolumeBackup
	// Snapshot is how else the content was backed up; nil when it was not.
	Snapshot *volumeInfo
	// Lost is why the content is not in the backup, empty when it is.
	Lost string
	// Listed says that Velero's list of volumes, which old backups lack, has the claim.
	Listed bool
}

// isTaken says that Velero knows by its records that it has backed up the content, so
// that it restores none but that (pkg/restore/restore.go, restoreItem). Of an empty
// volume only its list says so.
func (v volumeBackup) isTaken() bool {
	return v.Lost == "" && (v.Files == nil || v.Files.Status.SnapshotID != "" || v.Listed)
}

// String names the volume as people look for it.
func (v volumeBackup) String() string {
	switch {
	case v.Pod == "":
		return "claim " + v.Claim
	case v.Claim == "":
		return fmt.Sprintf("volume %s of pod %s", v.Name, v.Pod)
	default:
		return fmt.Sprintf("claim %s (volume %s of pod %s)", v.Claim, v.Name, v.Pod)
	}
}

// volumeInfo is what Velero knows of the volume of a claim
// (internal/volume/volumes_information.go, since Velero 1.13).
type volumeInfo struct {
	PVCName       string    `json:"pvcName"`
	PVCNamespace  string    `json:"pvcNamespace"`
	BackupMethod  string    `json:"backupMethod"`
	Skipped       bool      `json:"skipped"`
	SkippedReason string    `json:"skippedReason"`
	Result        string    `json:"result"`
	Files         podVolume `json:"pvbInfo"`
	snapshot
}

// podVolume is the volume that files were backed up through.
type podVolume struct {
	Pod    string `json:"podName"`
	Volume string `json:"volumeName"`
}

// Velero's methods by files, of a backup and of a restore.
const (
	methodFilesBackup = "PodVolumeBackup"
	methodFiles       = "PodVolumeRestore"
)

// readVolumes finds every volume that had content, and what the backup has of it.
// The pods and claims of the backup say what there was; what Velero lists is what
// it took.
func (c *climb) readVolumes(ctx context.Context) error {
	files, err := c.velero.VolumeBackups(ctx, c.backup.Name)
	if err != nil {
		return err
	}
	c.files = files
	var infos []volumeInfo
	if _, err := c.stored(ctx, velerov1.DownloadTargetKindBackupVolumeInfos, c.backup.Name, &infos); err != nil {
		return err
	}
	known := volumeKnowledge{namespace: c.plan.Source, files: files, infos: infos}
	mounted := map[string]bool{}
	for object, err := range c.contents.Objects(ctx, contents.Pods()) {
		if err != nil {
			return err
		}
		pod, err := podOf(object)
		if err != nil {
			return fmt.Errorf("reading pod %s of the backup: %w", object.GetName(), err)
		}
		if kube.Finished(pod) {
			continue // it is not restored, and its claims are looked at below
		}
		for _, volume := range pod.Spec.Volumes {
			if one, has := known.ofPod(pod, volume); has {
				mounted[one.Claim] = true
				c.volumes = append(c.volumes, one)
			}
		}
	}
	for claim, err := range c.contents.Objects(ctx, contents.Claims()) {
		if err != nil {
			return err
		}
		if !mounted[claim.GetName()] {
			c.volumes = append(c.volumes, known.ofClaim(volumeBackup{Claim: claim.GetName()}, "no running pod mounts it, so its files were not backed up"))
		}
	}
	return nil
}

// podOf reads what counts of a pod of a backup: its phase, and of its volumes what they
// are. Quantities in it nobody has looked at yet: see kube.Quantity.
func podOf(object *unstructured.Unstructured) (*corev1.Pod, error) {
	volumes, _, err := unstructured.NestedSlice(object.Object, "spec", "volumes")
	if err != nil {
		return nil, err
	}
	for _, volume := range volumes {
		fields, _ := volume.(map[string]any)
		for name := range fields {
			if name != "name" && name != "persistentVolumeClaim" {
				fields[name] = map[string]any{}
			}
		}
	}
	pod := &corev1.Pod{}
	err = runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{
		"metadata": object.Object["metadata"], "spec": map[string]any{"volumes": volumes}, "status": map[string]any{"phase": textAt(object.Object, "status", "phase")},
	}, pod)
	return pod, err
}

// volumeKnowledge is what Velero says of the volumes of a backup.
type volumeKnowledge struct {
	namespace string
	files     []velerov1.PodVolumeBackup
	infos     []volumeInfo
}

// ofPod says of a pod's volume what is known; has is false for one whose content
// comes from elsewhere: configuration, credentials, images. Of some of these Velero
// backs up files all the same, inline CSI volumes by default, and restores them; of
// others it restores none (pkg/podvolume/util.go, volumeHasNonRestorableSource).
func (k volumeKnowledge) ofPod(pod *corev1.Pod, volume corev1.Volume) (one volumeBackup, has bool) {
	one = volumeBackup{Pod: pod.Name, Name: volume.Name}
	source := volume.VolumeSource
	switch {
	case source.Projected != nil, source.DownwardAPI != nil:
		return one, false
	case source.ConfigMap != nil, source.Secret != nil, source.CSI != nil, source.Image != nil, source.GitRepo != nil:
		one.Files = k.filesOf(pod.Name, volume.Name)
		return one, one.Files != nil && one.Files.Status.SnapshotID != "" && one.Files.Status.Phase == velerov1.PodVolumeBackupPhaseCompleted
	case source.PersistentVolumeClaim != nil:
		one.Claim = source.PersistentVolumeClaim.ClaimName
	case source.Ephemeral != nil:
		one.Claim = pod.Name + "-" + volume.Name // what its controller calls it
	}
	one.Listed = one.Claim != "" && k.infoOf(one.Claim) != nil
	one.Files = k.filesOf(pod.Name, volume.Name)
	if one.Files != nil {
		if phase := one.Files.Status.Phase; phase != velerov1.PodVolumeBackupPhaseCompleted {
			one.Lost = fmt.Sprintf("its backup ended %s: %s", orNew(string(phase)), one.Files.Status.Message)
			one.Files = nil
		}
		return one, true
	}
	switch {
	case one.Claim != "":
		return k.ofClaim(one, "its files were not backed up"), true
	case source.EmptyDir != nil:
		return one, false // it is empty in every new pod, and not backed up on purpose
	case source.HostPath != nil:
		one.Lost = "a hostPath volume, which Velero leaves out without failing"
	default:
		one.Lost = "its files were not backed up"
	}
	return one, true
}

func (k volumeKnowledge) filesOf(pod, volume string) *velerov1.PodVolumeBackup {
	for i := range k.files {
		spec := k.files[i].Spec
		if spec.Pod.Namespace == k.namespace && spec.Pod.Name == pod && spec.Volume == volume {
			return &k.files[i]
		}
	}
	return nil
}

// ofClaim says of a claim whose files were not backed up what else was; otherwise,
// without any, is why it is lost.
func (k volumeKnowledge) ofClaim(one volumeBackup, otherwise string) volumeBackup {
	info := k.infoOf(one.Claim)
	switch {
	case info == nil:
		one.Lost = otherwise
	case info.Skipped:
		one.Lost = "skipped: " + info.SkippedReason
	case info.Result == "failed":
		one.Lost = info.BackupMethod + " failed"
	case info.BackupMethod == methodFilesBackup: // through another pod that has it mounted too
		if one.Files = k.filesOf(info.Files.Pod, info.Files.Volume); one.Files == nil {
			one.Lost = otherwise
		}
	case info.BackupMethod == "":
		one.Lost = otherwise
	default:
		one.Snapshot = info
	}
	return one
}

// infoOf is what Velero knows of a claim, nil for nothing. Of several the last counts:
// why a snapshot was skipped comes before what was done instead, and a snapshot
// before its copy.
func (k volumeKnowledge) infoOf(claim string) *volumeInfo {
	for i := range slices.Backward(k.infos) {
		if info := &k.infos[i]; info.PVCNamespace == k.namespace && info.PVCName == claim {
			return info
		}
	}
	return nil
}

// sharedVolumes are those that Velero would restore as they are: kept volumes
// (reclaim policy other than Delete) whose content is not in the backup.
func (c *climb) sharedVolumes() ([]string, error) {
	var shared []string
	for _, volume := range c.volumes {
		if volume.Claim == "" || volume.isTaken() {
			continue
		}
		claim, err := c.contents.Get("persistentvolumeclaims", c.plan.Source, volume.Claim)
		if err != nil {
			return nil, err
		}
		if claim == nil {
			continue
		}
		name := textAt(claim.Object, "spec", "volumeName")
		if name == "" {
			continue
		}
		persistent, err := c.contents.Get("persistentvolumes", "", name)
		if err != nil {
			return nil, err
		}
		if persistent == nil {
			continue // without its definition nothing is restored as it is
		}
		if policy := textAt(persistent.Object, "spec", "persistentVolumeReclaimPolicy"); policy != string(corev1.PersistentVolumeReclaimDelete) {
			why := volume.Lost
			if why == "" {
				why = "it was empty"
			}
			shared = append(shared, fmt.Sprintf("%s: volume %s is kept (%s) and its content is not in the backup: %s", volume, name, policy, why))
		}
	}
	return shared, nil
}

// textAt reads a text in an object; empty when there is none.
func textAt(object map[string]any, path ...string) string {
	text, _, _ := unstructured.NestedString(object, path...)
	return text
}
