package veleroschedules

import (
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"gameday.dev/gameday/internal/velero"
)

const (
	phaseNew       = string(velerov1.BackupPhaseNew)
	phaseCompleted = string(velerov1.BackupPhaseCompleted)
	phaseDeleting  = string(velerov1.BackupPhaseDeleting)
)

// Why a Completed backup does not count.
const (
	hasExpired = "expired"
	wasSynced  = "synced"
	isUndated  = "undated"
)

// moment is when a backup was begun. One that was never begun has only the time
// of its resource, which is also that of its making: none such is ever synced.
func (b backupSeen) moment() time.Time {
	if b.Started.IsZero() {
		return b.Created
	}
	return b.Started
}

func (b backupSeen) ended() bool { return velero.BackupEnded(velerov1.BackupPhase(b.Phase)) }

// failed says whether a backup has ended as something else than it should.
func (b backupSeen) failed() bool {
	return b.ended() && b.Phase != phaseCompleted && b.Phase != phaseDeleting
}

// failedIn says whether a backup failed that is the Schedule's own. What failed
// before it was created may be why somebody made it anew.
func (s scheduleSeen) failedIn(b backupSeen) bool {
	return b.failed() && !b.moment().Before(s.Created)
}

// synced says whether the backup may be another cluster's.
func (b backupSeen) synced() bool {
	return velero.Synced(velerov1.BackupPhase(b.Phase), b.Generation, b.Created, b.Completed)
}

// lastOf says whether a synced backup is this cluster's own all the same.
func (b backupSeen) lastOf(s scheduleSeen) bool { return velero.IsLastOf(b.Name, s.LastBackup) }

// discounted says why a Completed backup of the Schedule does not count, empty when it does.
func (b backupSeen) discounted(s scheduleSeen, now time.Time) string {
	switch {
	case b.synced() && !b.lastOf(s):
		return wasSynced
	case b.Started.IsZero() || b.Completed.IsZero() || b.Expires.IsZero():
		return isUndated
	case !b.Expires.After(now):
		return hasExpired
	}
	return ""
}

// newest finds the backup that counts, and the Completed one before it, which
// is only compared with and may have expired. nil stands for none.
func (s scheduleSeen) newest(now time.Time) (newest, before *backupSeen) {
	for i := range s.Attempts {
		b := &s.Attempts[i]
		if b.Phase != phaseCompleted {
			continue
		}
		switch why := b.discounted(s, now); {
		case newest == nil && why == "":
			newest = b
		case newest != nil && why != wasSynced:
			return newest, b
		}
	}
	return newest, nil
}
