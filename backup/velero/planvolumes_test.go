package velero

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// volumeFor is a volume whose claimRef names a claim of a namespace.
func volumeFor(name, namespace string, policy corev1.PersistentVolumeReclaimPolicy, phase corev1.PersistentVolumePhase) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)},
		Spec:       corev1.PersistentVolumeSpec{PersistentVolumeReclaimPolicy: policy, ClaimRef: &corev1.ObjectReference{Namespace: namespace, Name: "data"}},
		Status:     corev1.PersistentVolumeStatus{Phase: phase},
	}
}

// A volume that is somebody's for a namespace of that name is neither written by the
// copy nor taken for the drill's own.
func TestPlanRefusesANamespaceWithReservedVolumes(t *testing.T) {
	spec := &Restore{Backup: Source{Name: "nightly-1"}, Namespace: "shop", Into: "drill"}
	for name, volume := range map[string]*corev1.PersistentVolume{
		"kept from before": volumeFor("pv-of-2019", "drill", corev1.PersistentVolumeReclaimRetain, corev1.VolumeReleased),
		"reserved":         volumeFor("pv-of-2019", "drill", corev1.PersistentVolumeReclaimDelete, corev1.VolumeAvailable),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(shop(), volume)...)
			w.velero(t, "backups", "Backup", nightly("nightly-1"))
			_, err := spec.Plan(t.Context(), w.env())
			refusedWith(t, err, "reserved for them (claimRef): the copy would use them: pv-of-2019")
		})
	}
}

func TestPlanWarnsWhenReservedVolumesCannotBeListed(t *testing.T) {
	spec := &Restore{Backup: Source{Name: "nightly-1"}, Namespace: "shop", Into: "drill"}
	w := newWorld(t, shop()...)
	w.velero(t, "backups", "Backup", nightly("nightly-1"))
	w.may = needed(spec)
	plan, err := spec.Plan(t.Context(), w.env())
	if err != nil || !slices.ContainsFunc(plan.Warnings, func(s string) bool { return strings.Contains(s, "whether volumes are reserved for drill") }) {
		t.Errorf("warned %q, %v", plan.Warnings, err)
	}
}

// Undo names the volumes that it waits for.
func TestUndoNamesTheVolumesThatGo(t *testing.T) {
	w := newWorld(t, scratch(marks(run)),
		volumeFor("pv-1", "drill", corev1.PersistentVolumeReclaimDelete, corev1.VolumeReleased),
		volumeFor("pv-2", "shop", corev1.PersistentVolumeReclaimDelete, corev1.VolumeBound))
	said, err := w.undo(t, drill())
	if err == nil || !strings.Contains(err.Error(), "the volumes of drill are gone (pv-1)") {
		t.Errorf("said %q, %v", said, err)
	}
}
