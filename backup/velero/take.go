package velero

import (
	"context"
	"fmt"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/velero"
)

// takeBackup asks Velero for a backup. It expires by itself, should nobody be left
// to delete it.
func (c *climb) takeBackup(ctx context.Context) error {
	filesystem := c.spec.filesystemBackups()
	return c.velero.Create(ctx, velero.Backups, "Backup", &velerov1.Backup{
		ObjectMeta: metav1.ObjectMeta{Name: c.plan.Backup, Labels: c.labels()},
		Spec: velerov1.BackupSpec{
			IncludedNamespaces:       c.spec.Backup.Namespaces,
			StorageLocation:          c.plan.Location,
			DefaultVolumesToFsBackup: &filesystem,
			TTL:                      metav1.Duration{Duration: 2*orDefault(c.spec.Timeout, defaultTimeout) + time.Hour},
		},
	})
}

func (c *climb) labels() map[string]string {
	return map[string]string{experiments.LabelRun: c.env.RunID}
}

func (c *climb) tellBackup() func(*velerov1.Backup) {
	tell := c.tellPhases("backup")
	return func(b *velerov1.Backup) {
		progress := velerov1.BackupProgress{}
		if b.Status.Progress != nil {
			progress = *b.Status.Progress
		}
		tell(string(b.Status.Phase), progress.ItemsBackedUp, progress.TotalItems)
	}
}

// tellPhases tells, whenever it has changed, how far Velero is with a backup or a
// restore; total is 0 as long as it does not know.
func (c *climb) tellPhases(what string) func(phase string, done, total int) {
	last := ""
	return func(phase string, done, total int) {
		words := what + " is " + orNew(phase)
		if total > 0 {
			words += fmt.Sprintf(", %d of %d items", done, total)
		}
		if words != last {
			last = words
			c.Progress("%s", words)
		}
	}
}

func orNew(phase string) string {
	if phase == "" {
		return "New"
	}
	return phase
}
