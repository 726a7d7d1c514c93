package velero

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"

	"gameday.dev/gameday/internal/velero"
)

// snapshot is how Velero names a snapshot of a volume, alike in what it stores of
// a backup and of a restore (internal/volume/volumes_information.go).
type snapshot struct {
	// Moved says that a data mover has copied it to the backup storage location.
	Moved    bool       `json:"snapshotDataMoved"`
	CSI      storedData `json:"csiSnapshotInfo"`
	Native   storedData `json:"nativeSnapshotInfo"`
	Movement storedData `json:"snapshotDataMovementInfo"`
}

type storedData struct {
	// Handle is the storage's name of the snapshot, or the repository's of its copy.
	Handle string `json:"snapshotHandle"`
	// Size in bytes; of a copy, of its files.
	Size        int64  `json:"size"`
	OperationID string `json:"operationID"`
}

// unknownHandle is what Velero stores where it does not know.
const unknownHandle = "unknown"

// handle names the snapshot that the content is in; empty where Velero does not say.
func (s snapshot) handle() string {
	handle := s.CSI.Handle + s.Native.Handle // never both
	if s.Moved {
		handle = s.Movement.Handle
	}
	if handle == unknownHandle {
		return ""
	}
	return handle
}

// restoredInfo is what Velero knows of a volume that it restored: the file
// RestoreVolumeInfo. It is written before data movers end and claims are bound.
type restoredInfo struct {
	PVCName       string `json:"pvcName"`
	PVCNamespace  string `json:"pvcNamespace"`
	PVName        string `json:"pvName"`
	RestoreMethod string `json:"restoreMethod"`
	snapshot
}

// operation is how what Velero let a plugin do beside a restore has ended
// (pkg/itemoperation/restore_operation.go).
type operation struct {
	Spec struct {
		OperationID string `json:"operationID"`
	} `json:"spec"`
	Status struct {
		Phase      string `json:"phase"`
		Error      string `json:"error"`
		NCompleted int64  `json:"nCompleted"` // bytes, of a data mover
	} `json:"status"`
}

// operationCompleted is the one phase of an operation that ended well.
const operationCompleted = "Completed"

// snapshotRestores is what shows that snapshots were restored.
type snapshotRestores struct {
	// namespace is the one that was restored into.
	namespace string
	// stored says that Velero has stored what it restored.
	stored     bool
	infos      []restoredInfo
	operations []operation
	// claims are those of the namespace, by name.
	claims map[string]*corev1.PersistentVolumeClaim
}

// of says why the content of a volume was not restored from its snapshot, or why
// that can't be told; neither when it was. Velero knows of the data only what it
// moved itself: a storage system that gives an empty volume for a snapshot shows in
// a comparison of files alone.
func (r snapshotRestores) of(volume volumeBackup) (problem, doubt string) {
	taken := volume.Snapshot
	if !r.stored {
		return "", "Velero has stored nothing of the volumes that it restored"
	}
	info := r.find(volume.Claim)
	if info == nil {
		return fmt.Sprintf("in the backup by %s, and Velero did not restore it", taken.BackupMethod), ""
	}
	switch from, want := info.handle(), taken.handle(); {
	case from == "" || want == "":
		return "", "Velero does not say which snapshot it was restored from"
	case from != want:
		return "restored from another snapshot than this backup's", ""
	}
	if info.Moved {
		if problem, doubt := r.moved(info.Movement.OperationID, taken.Movement.Size); problem != "" || doubt != "" {
			return problem, doubt
		}
	}
	return r.bound(volume.Claim, info.PVName)
}

// find finds the restore of a claim's snapshot. Of a native snapshot Velero may know
// the volume alone, when that was bound later.
func (r snapshotRestores) find(claim string) *restoredInfo {
	at := slices.IndexFunc(r.infos, func(info restoredInfo) bool {
		if info.RestoreMethod == methodFiles {
			return false
		}
		if info.PVCName == "" {
			bound, there := r.claims[claim]
			return there && info.PVName != "" && bound.Spec.VolumeName == info.PVName
		}
		return info.PVCNamespace == r.namespace && info.PVCName == claim
	})
	if at < 0 {
		return nil
	}
	return &r.infos[at]
}

// moved says how the data mover of a volume ended; size is what it had to move.
func (r snapshotRestores) moved(id string, size int64) (problem, doubt string) {
	at := slices.IndexFunc(r.operations, func(o operation) bool { return o.Spec.OperationID == id })
	if at < 0 {
		return "", "Velero has not stored how its data mover ended"
	}
	switch status := r.operations[at].Status; {
	case status.Phase != operationCompleted:
		return fmt.Sprintf("its data mover ended %s: %s", orNew(status.Phase), status.Error), ""
	case status.NCompleted < size:
		return fmt.Sprintf("%d of %d bytes were restored", status.NCompleted, size), ""
	default:
		return "", ""
	}
}

// bound says whether there is a volume: it is made of the snapshot when the claim is
// bound, and not before. volume is the one that Velero saw; empty when it saw none.
func (r snapshotRestores) bound(claim, volume string) (problem, doubt string) {
	found, there := r.claims[claim]
	switch {
	case !there:
		return "its claim was not restored, or is gone", ""
	case found.Status.Phase == corev1.ClaimLost:
		return "the volume of its claim is gone", ""
	case found.Status.Phase != corev1.ClaimBound:
		return "", fmt.Sprintf("its claim is %s: no volume was made of the snapshot by now", orNew(string(found.Status.Phase)))
	case volume != "" && volume != found.Spec.VolumeName:
		return "", fmt.Sprintf("its claim is bound to volume %s, and Velero restored %s", found.Spec.VolumeName, volume)
	default:
		return "", ""
	}
}

// snapshotRestores reads what Velero stores of the restore. Without a snapshot among
// the volumes there is nothing to ask for.
func (c *climb) snapshotRestores(ctx context.Context, volumes []volumeBackup) (snapshotRestores, error) {
	restores := snapshotRestores{namespace: c.plan.Into}
	if !slices.ContainsFunc(volumes, func(v volumeBackup) bool { return v.Snapshot != nil }) {
		return restores, nil
	}
	var err error
	if restores.stored, err = c.stored(ctx, velerov1.DownloadTargetKindRestoreVolumeInfo, c.plan.Own, &restores.infos); err != nil {
		return restores, err
	}
	if slices.ContainsFunc(restores.infos, func(i restoredInfo) bool { return i.Moved }) {
		if _, err := c.stored(ctx, velerov1.DownloadTargetKindRestoreItemOperations, c.plan.Own, &restores.operations); err != nil {
			return restores, err
		}
	}
	copies, err := c.settled(ctx, volumes)
	restores.claims = copies.claims
	return restores, err
}

// stored reads what Velero stores of a backup or restore as JSON; false where it
// stores nothing of that kind.
func (c *climb) stored(ctx context.Context, kind velerov1.DownloadTargetKind, name string, into any) (bool, error) {
	reader, err := c.download(ctx, kind, name)
	if errors.Is(err, velero.ErrNotStored) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer reader.Close()
	if err := json.NewDecoder(reader).Decode(into); err != nil {
		return false, fmt.Errorf("reading %s of %s: %w", kind, name, err)
	}
	return true, nil
}
