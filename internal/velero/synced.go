package velero

import (
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
)

// ClocksApart is how far two clocks may be apart before what they say of one another
// is not believed.
const ClocksApart = 2 * time.Minute

// Synced says whether the resource of a backup was made from what the object store
// holds, as Velero does with backups that it finds there and did not make. They may
// be another cluster's, whose Schedule has the same name. Velero changes a backup
// that it makes several times (its phase, its progress), which a synced one never is
// (backup_sync_controller.go), and has made its resource before it ended. completed
// is zero when it is not known.
func Synced(phase velerov1.BackupPhase, generation int64, created, completed time.Time) bool {
	return BackupEnded(phase) && generation == 1 || !completed.IsZero() && created.After(completed.Add(ClocksApart))
}

// IsLastOf says whether a backup is the last that a Schedule asked for, by its name,
// which ends with that moment: whoever deletes the resource alone gets back a synced
// one within a minute, of a backup that is this cluster's own.
func IsLastOf(backup string, lastBackup time.Time) bool {
	return !lastBackup.IsZero() && strings.HasSuffix(backup, "-"+lastBackup.UTC().Format("20060102150405"))
}
