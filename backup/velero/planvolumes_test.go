package velero

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"gameday.dev/gameday/backup/velero/internal/velerotest"
)

// A volume that is somebody's for a namespace of that name is neither written by the
// copy nor taken for the drill's own.
func TestPlanRefusesANamespaceWithReservedVolumes(t *testing.T) {
	spec := &Restore{Backup: Source{Name: "nightly-1"}, Namespace: "shop", Into: "drill"}
	for name, volume := range map[string]*corev1.PersistentVolume{
		"kept from before": velerotest.Volume("pv-of-2019", "drill", corev1.PersistentVolumeReclaimRetain, corev1.VolumeReleased),
		"reserved":         velerotest.Volume("pv-of-2019", "drill", corev1.PersistentVolumeReclaimDelete, corev1.VolumeAvailable),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, append(shop(), volume)...)
			w.Put(t, "backups", "Backup", nightly("nightly-1"))
			_, err := spec.Plan(t.Context(), w.env())
			refusedWith(t, err, "reserved for them (claimRef): the copy would use them: pv-of-2019")
		})
	}
}

// Volumes of the copy that will be left are told of before they are made.
func TestPlanWarnsOfVolumesThatWillBeKept(t *testing.T) {
	for name, test := range map[string]struct {
		policy  corev1.PersistentVolumeReclaimPolicy
		phase   corev1.PersistentVolumePhase
		of      string
		exclude []string
		warns   bool
	}{
		"kept":                 {corev1.PersistentVolumeReclaimRetain, corev1.VolumeBound, "shop", nil, true},
		"deleted":              {corev1.PersistentVolumeReclaimDelete, corev1.VolumeBound, "shop", nil, false},
		"of a claim long gone": {corev1.PersistentVolumeReclaimRetain, corev1.VolumeReleased, "shop", nil, false},
		"another namespace's":  {corev1.PersistentVolumeReclaimRetain, corev1.VolumeBound, "other", nil, false},
		"not restored":         {corev1.PersistentVolumeReclaimRetain, corev1.VolumeBound, "shop", []string{"persistentvolumeclaims"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			spec := &Restore{Backup: Source{Name: "nightly-1"}, Namespace: "shop", Into: "drill", Exclude: test.exclude}
			w := newWorld(t, append(shop(), velerotest.Volume("pv-of-shop", test.of, test.policy, test.phase))...)
			w.Put(t, "backups", "Backup", nightly("nightly-1"))
			plan, err := spec.Plan(t.Context(), w.env())
			if warned := slices.Contains(plan.Warnings, keptWarning(1, "shop")); err != nil || warned != test.warns {
				t.Errorf("warned %q, %v", plan.Warnings, err)
			}
		})
	}
}

func TestPlanWarnsWhenReservedVolumesCannotBeListed(t *testing.T) {
	spec := &Restore{Backup: Source{Name: "nightly-1"}, Namespace: "shop", Into: "drill"}
	w := newWorld(t, shop()...)
	w.Put(t, "backups", "Backup", nightly("nightly-1"))
	w.may = needed(spec)
	plan, err := spec.Plan(t.Context(), w.env())
	if err != nil || !slices.ContainsFunc(plan.Warnings, func(s string) bool { return strings.Contains(s, "whether volumes are reserved for drill") }) {
		t.Errorf("warned %q, %v", plan.Warnings, err)
	}
}
