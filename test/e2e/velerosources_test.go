package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/test/cluster"
)

// ofSchedule makes a backup one of a schedule's.
func ofSchedule(name string) func(*velerov1.Backup) {
	return func(b *velerov1.Backup) {
		labels := map[string]string{velerov1.ScheduleNameLabel: name}
		for key, value := range b.Labels {
			if key != velerov1.ScheduleNameLabel {
				labels[key] = value
			}
		}
		b.Labels = labels
	}
}

func TestVeleroSources(t *testing.T) {
	prove(t,
		promise{says: "of a schedule the newest completed backup is restored, and a schedule without one fails", needs: velero, proof: func(s *scene) {
			nightly, empty := s.ns+"-nightly", s.ns+"-empty"
			s.configMap("conf", "first")
			s.backedUp("older", false, ofSchedule(nightly))
			_, err := s.client.CoreV1().ConfigMaps(s.ns).Patch(s.ctx, "conf", types.MergePatchType, []byte(`{"data":{"value":"second"}}`), metav1.PatchOptions{})
			s.must(err)
			newer := s.backedUp("newer", false, ofSchedule(nightly))
			later := metav1.NewTime(time.Now().Add(time.Minute))
			s.twin(newer, "broken", func(b *velerov1.Backup) {
				b.Status.Phase, b.Status.StartTimestamp = velerov1.BackupPhasePartiallyFailed, &later
			})
			s.twin(newer, "alone", ofSchedule(empty), func(b *velerov1.Backup) { b.Status.Phase = velerov1.BackupPhasePartiallyFailed })
			from := func(schedule string) string {
				return fmt.Sprintf(`backup: {schedule: %s}, namespace: "${ns}"`, schedule)
			}

			s.plan(longer(climbing(restoring("nightly", from(nightly)))), s.veleroFlags()...).exits(0).says(newer)
			s.plan(longer(climbing(restoring("empty", from(empty)))), s.veleroFlags()...).exits(0).says("no completed backup", "will fail")
			r := s.drills(restoring("nightly", from(nightly)), restoring("empty", from(empty))).exits(1).
				finds("nightly", "objects", "pass").breaks("empty", "backup", "fail", "schedule "+empty+" has no completed backup")
			if said := r.proof("nightly").Backup; said["backup"] != newer || said["schedule"] != nightly {
				s.Errorf("of the backup is said: %v", said)
			}
		}},
		promise{says: "one namespace comes back from a backup of all, by its name and by its schedule's, and one that is not there fails", needs: velero, proof: func(s *scene) {
			s.configMap("conf", "as it was")
			nightly := s.ns + "-all"
			all := s.backedUp("everything", false, ofSchedule(nightly), func(b *velerov1.Backup) { b.Spec.IncludedNamespaces = nil })
			s.drills(
				restoring("named", fromBackup(all)+`, control: true`),
				restoring("nightly", fmt.Sprintf(`backup: {schedule: %s}, namespace: "${ns}", control: true`, nightly)),
				restoring("mistyped", fmt.Sprintf(`backup: {name: %s}, namespace: "${ns}-s"`, all)),
			).exits(1).finds("named", "control", "pass").finds("nightly", "control", "pass").
				breaks("mistyped", "backup", "fail", "holds nothing of namespace "+s.ns+"-s")
		}},
		promise{says: "a volume that the copy would share with the original is refused, whether the backup is taken now or was", needs: velero, proof: func(s *scene) {
			s.volume()
			claim, err := s.client.CoreV1().PersistentVolumeClaims(s.ns).Get(s.ctx, "own", metav1.GetOptions{})
			s.must(err)
			volumes := s.client.CoreV1().PersistentVolumes()
			keep := func(policy corev1.PersistentVolumeReclaimPolicy) {
				_, err := volumes.Patch(s.ctx, claim.Spec.VolumeName, types.MergePatchType, []byte(fmt.Sprintf(`{"spec":{"persistentVolumeReclaimPolicy":%q}}`, policy)), metav1.PatchOptions{})
				s.must(err)
			}
			keep(corev1.PersistentVolumeReclaimRetain)
			s.Cleanup(func() { keep(corev1.PersistentVolumeReclaimDelete) })
			s.refused(restoring("shares", fromNow), nil, "share a volume", "claim own", "Retain", "hint:")
			bare := s.backedUp("bare", false)
			s.drills(restoring("shares", fromBackup(bare))).exits(1).breaks("shares", "restore", "fail", "not restored", "share 1 volumes", "claim own", "Retain")
			now, err := volumes.Get(s.ctx, claim.Spec.VolumeName, metav1.GetOptions{})
			s.must(err)
			if now.Status.Phase != corev1.VolumeBound || now.Spec.ClaimRef.Namespace != s.ns {
				s.Errorf("the original's volume is %s, of %s", now.Status.Phase, now.Spec.ClaimRef.Namespace)
			}
		}},
		promise{says: "what can't be done is refused before anything is touched, each with what to do", needs: velero, proof: func(s *scene) {
			s.configMap("conf", "as it was")
			whole := s.backedUp("whole", false)
			into := func(source string) string {
				return fmt.Sprintf(`{name: same, veleroRestore: {into: "${ns}", backup: {%s}}}`, source)
			}
			s.plan(climbing(into(`namespaces: ["${ns}"]`)), s.veleroFlags()...).exits(2).says("is the original")
			s.plan(climbing(restoring("same", fromNow+`, existingResourcePolicy: update`)), s.veleroFlags()...).exits(2).says("overwrite")
			s.refused(into(`name: `+whole), nil, "the original", "hint:")
			s.refused(restoring("blind", fromNow+`, volumes: {compare: true}`), map[string]any{"image": nil}, "image", "hint:")
			s.refused(restoring("lost", fromNow), map[string]any{"velero": map[string]any{"namespace": "no-velero"}}, "no-velero", "hint:")
			s.refused(restoring("limited", fromNow), map[string]any{"kubeconfig": s.withoutEviction()}, "this user may not:", "create restores", "hint:")
		}},
	)
}

// refused wants plan and run to refuse a step, in an Environment that is changed so,
// with these words, and nothing to be written anywhere.
func (s *scene) refused(step string, changes map[string]any, words ...string) {
	s.Helper()
	s.untilCounted()
	before := s.versions()
	spec := map[string]any{"context": s.context, "velero": map[string]any{"namespace": cluster.VeleroNamespace}, "image": cluster.GamedayImage}
	var flags []string
	for key, value := range changes {
		switch {
		case key == "kubeconfig":
			flags = append(flags, "--kubeconfig", value.(string))
		case value == nil:
			delete(spec, key)
		default:
			spec[key] = value
		}
	}
	text, err := json.Marshal(map[string]any{
		"apiVersion": "gameday.dev/v1alpha1", "kind": "Environment", "metadata": map[string]any{"name": "e2e"}, "spec": spec,
	})
	s.must(err)
	flags = append(s.veleroFlags(), flags...)
	flags = append(flags, "--environment", s.write("changed-environment.yaml", string(text)))
	d := longer(climbing(step))
	s.plan(d, flags...).exits(5).says(words...)
	s.run(d, flags...).exits(5).says(words...).leavesNothing()
	s.wantUnwritten(before)
	if now := s.versions(); len(now) != len(before) {
		s.Errorf("there were %d objects in the original, now there are %d", len(before), len(now))
	}
}
