package cleanup

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"gameday.dev/gameday/backup/velero/internal/velerotest"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

// Volumes made for the copy go with it, or are named.
func TestUndoOfVolumes(t *testing.T) {
	volume := velerotest.Volume
	const deleted, retained = corev1.PersistentVolumeReclaimDelete, corev1.PersistentVolumeReclaimRetain
	for name, test := range map[string]struct {
		volumes []runtime.Object
		says    string
		lasting bool
	}{
		"none":             {nil, "", false},
		"of others":        {[]runtime.Object{volume("pv-1", "shop", deleted, corev1.VolumeBound), volume("pv-2", "shop", retained, corev1.VolumeBound)}, "", false},
		"kept":             {[]runtime.Object{volume("pv-2", "drill", retained, corev1.VolumeReleased), volume("pv-1", "drill", retained, corev1.VolumeReleased)}, "delete persistentvolume pv-1 pv-2,", true},
		"failed to delete": {[]runtime.Object{volume("pv-1", "drill", deleted, corev1.VolumeFailed)}, "delete persistentvolume pv-1,", true},
		"going":            {[]runtime.Object{volume("pv-1", "drill", deleted, corev1.VolumeReleased)}, "waiting until the volumes of drill are gone", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.volumes...)
			synctest.Test(t, func(t *testing.T) {
				said, err := w.undo(t, drill())
				if (err != nil) != (test.says != "") || err != nil && !strings.Contains(err.Error(), test.says) || experiments.IsLasting(err) != test.lasting {
					t.Errorf("said %q, %v", said, err)
				}
			})
		})
	}
	t.Run("not to be seen", func(t *testing.T) {
		w := newWorld(t)
		w.deny(kube.Access{Verb: "list", Resource: "persistentvolumes"})
		if said, err := w.undo(t, drill()); err != nil {
			t.Errorf("said %q, %v", said, err)
		}
		if !slices.ContainsFunc(w.Record.Said, func(payload any) bool {
			progress, _ := payload.(journal.Progress)
			return strings.Contains(progress.Message, "whether volumes of drill are left can't be told")
		}) {
			t.Errorf("recorded %v", w.Record.Said)
		}
	})
}

// Undo names the volumes that it waits for.
func TestUndoNamesTheVolumesThatGo(t *testing.T) {
	w := newWorld(t, scratch(marks(run)),
		velerotest.Volume("pv-1", "drill", corev1.PersistentVolumeReclaimDelete, corev1.VolumeReleased),
		velerotest.Volume("pv-2", "shop", corev1.PersistentVolumeReclaimDelete, corev1.VolumeBound))
	said, err := w.undo(t, drill())
	if err == nil || !strings.Contains(err.Error(), "the volumes of drill are gone (pv-1)") {
		t.Errorf("said %q, %v", said, err)
	}
}
