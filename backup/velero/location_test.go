package velero

import (
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/internal/velero"
)

// An authority in a Secret of Velero's namespace is not read, and what helps is said
// before the drill begins.
func TestAnAuthorityInASecretIsWarnedOf(t *testing.T) {
	w := newWorld(t, shop()...)
	w.Put(t, velero.StorageLocations, "BackupStorageLocation", &velerov1.BackupStorageLocation{
		ObjectMeta: metav1.ObjectMeta{Name: "inhouse"},
		Spec: velerov1.BackupStorageLocationSpec{StorageType: velerov1.StorageType{ObjectStorage: &velerov1.ObjectStorageLocation{
			CACertRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "store-ca"}, Key: "ca.crt"},
		}}},
		Status: velerov1.BackupStorageLocationStatus{Phase: velerov1.BackupStorageLocationPhaseAvailable},
	})
	w.Put(t, "backups", "Backup", nightly("nightly-1", func(b *velerov1.Backup) { b.Spec.StorageLocation = "inhouse" }))
	for _, file := range []string{"", "ca.crt"} {
		env := w.env()
		env.Velero.CAFile = file
		plan, err := (&Restore{Backup: Source{Name: "nightly-1"}, Namespace: "shop", Into: "shop-drill"}).Plan(t.Context(), env)
		if err != nil {
			t.Fatal(err)
		}
		if warned := strings.Contains(strings.Join(plan.Warnings, "\n"), "store-ca"); warned != (file == "") {
			t.Errorf("with velero.caFile %q: %q", file, plan.Warnings)
		}
	}
}
