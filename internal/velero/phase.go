package velero

import (
	"slices"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
)

// BackupEnded says whether a phase of a Backup is its last. WaitingForPluginOperations
// and Finalizing are not: data movers are still at work, and Velero still writes to
// the object store. Deleting is no end either, but nothing good comes after it.
func BackupEnded(phase velerov1.BackupPhase) bool {
	return slices.Contains([]velerov1.BackupPhase{
		velerov1.BackupPhaseCompleted, velerov1.BackupPhasePartiallyFailed,
		velerov1.BackupPhaseFailed, velerov1.BackupPhaseFailedValidation, velerov1.BackupPhaseDeleting,
	}, phase)
}

// RestoreEnded says whether a phase of a Restore is its last.
func RestoreEnded(phase velerov1.RestorePhase) bool {
	return slices.Contains([]velerov1.RestorePhase{
		velerov1.RestorePhaseCompleted, velerov1.RestorePhasePartiallyFailed,
		velerov1.RestorePhaseFailed, velerov1.RestorePhaseFailedValidation,
	}, phase)
}
