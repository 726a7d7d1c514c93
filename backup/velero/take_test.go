package velero

import (
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify"
)

// A backup that is named and has gone since it was planned for can't be restored: that
// is no doubt, but a failure.
func TestABackupThatIsGoneFails(t *testing.T) {
	spec := &Restore{Backup: Source{Name: "nightly-1"}, Namespace: "shop", Into: "drill"}
	w := newWorld(t, shop()...)
	w.Put(t, velero.Backups, "Backup", nightly("nightly-1"))
	plan, err := spec.Plan(t.Context(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Dynamic.Tracker().Delete(velerov1.SchemeGroupVersion.WithResource(velero.Backups), inVelero, "nightly-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := spec.Inject(t.Context(), w.env(), plan); err != nil {
		t.Fatal(err)
	}
	if found := w.rung(rungBackup); found.Verdict != verify.Fail || !strings.Contains(found.Summary, "backups velero/nightly-1 is gone: somebody has deleted it") {
		t.Errorf("%s: %s", found.Verdict, found.Summary)
	}
}
