package velero

import (
	"path/filepath"
	"testing"
)

// Where the tarball can't be kept nothing is begun.
func TestPlanRefusesAScratchDirectoryThatIsNotThere(t *testing.T) {
	w := newWorld(t, shop()...)
	w.Put(t, "backups", "Backup", nightly("nightly-1"))
	w.scratch = filepath.Join(w.scratch, "nowhere")
	_, err := (&Restore{Backup: Source{Name: "nightly-1"}, Namespace: "shop", Into: "drill"}).Plan(t.Context(), w.env())
	refusedWith(t, err, "no scratch directory "+w.scratch)
}
