package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"gameday.dev/gameday/test/cluster"
)

// The Schedules here are made in Velero's own namespace under names of the
// scene, and are the only ones that the checks look at.

func TestVeleroSchedules(t *testing.T) {
	prove(t,
		promise{says: "a game day fails when Velero's backups stop, is never refused for it, and judge finds the same without a cluster", needs: velero, proof: func(s *scene) {
			s.configMap("settings", "all of them")
			nightly := s.scheduled("nightly")
			backup := s.runs(nightly, velerov1.BackupPhaseCompleted)
			s.looksAt(check("fresh", `schedules: [`+nightly+`], maxAge: 1h`)).exits(0).undone().says("ok fresh "+nightly+": newest", backup, "no backup before")
			s.past(s.inVelero("backups"), backup)
			r := s.looksAt(check("fresh", `schedules: [`+nightly+`], maxAge: 1ms`)).exits(1).undone().says("XX fresh "+nightly+": newest", backup, "1ms is the most", "hint:")
			s.judgedAgain(r)
		}},
		promise{says: "a Schedule that is paused, not valid, too long for a label, new or not there is told apart", needs: velero, proof: func(s *scene) {
			paused := s.scheduled("paused", func(schedule *velerov1.Schedule) { schedule.Spec.Paused = true })
			wrong := s.scheduled("wrong", func(schedule *velerov1.Schedule) { schedule.Spec.Schedule = "61 * * * *" })
			long := s.scheduled(strings.Repeat("long-", 12) + "name")
			young := s.scheduled("young", notDue)
			s.untilPhase(wrong, velerov1.SchedulePhaseFailedValidation)
			s.past(s.inVelero("schedules"), young)
			s.looksAt(
				check("paused", `schedules: [`+paused+`], maxAge: 1h`),
				check("wrong", `schedules: [`+wrong+`], maxAge: 1h`),
				check("long", `schedules: [`+long+`], maxAge: 1h`),
				check("young", `schedules: [`+young+`], maxAge: 1h`),
				check("never", `schedules: [`+young+`], maxAge: 1ms`),
				check("misspelt", `schedules: [`+young+`r], maxAge: 1h`),
				check("all-allowed", `schedules: [`+paused+`], allowPaused: [`+paused+`], maxAge: 1h`),
			).exits(1).undone().says(
				"XX paused "+paused+": is paused",
				"XX wrong "+wrong+": is not valid", "61",
				"XX long "+long+": its name is longer than 63 letters",
				"?? young cannot tell: "+young+": has made no backup yet",
				"XX never "+young+": has never made a backup",
				"XX misspelt "+young+"r: there is no such Schedule",
				"XX all-allowed every Schedule is paused",
			)
		}},
		promise{says: "a backup that has lost most of its objects fails, however young it is", needs: velero, proof: func(s *scene) {
			for i := range 9 {
				s.configMap(fmt.Sprintf("part-%d", i), "of the whole")
			}
			nightly := s.scheduled("nightly")
			before := s.runs(nightly, velerov1.BackupPhaseCompleted)
			s.must(s.client.CoreV1().ConfigMaps(s.ns).DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
			s.isDue(nightly, "")
			after := s.runs(nightly, velerov1.BackupPhaseCompleted, before)
			s.looksAt(
				check("collapsed", `schedules: [`+nightly+`], maxAge: 1h`),
				check("meant", `schedules: [`+nightly+`], maxAge: 1h, maxShrink: 99%`),
			).exits(1).undone().says("XX collapsed "+nightly+": "+after+" holds", before+" before it held", "ok meant")
		}},
		promise{says: "what failed since the newest Completed backup is told, and fails when there is none", needs: velero, proof: func(s *scene) {
			nightly := s.scheduled("nightly")
			whole := s.runs(nightly, velerov1.BackupPhaseCompleted)
			never := s.scheduled("never", func(schedule *velerov1.Schedule) {
				schedule.Spec.Template.IncludedNamespaces = []string{s.ns + "-gone"}
			})
			s.runs(never, velerov1.BackupPhasePartiallyFailed)
			s.isDue(nightly, `"template":{"includedNamespaces":["`+s.ns+`","`+s.ns+`-gone"]}`)
			failed := s.runs(nightly, velerov1.BackupPhasePartiallyFailed, whole)
			s.looksAt(check("since", `schedules: [`+nightly+`], maxAge: 1h`), check("none", `schedules: [`+never+`], maxAge: 1h`)).exits(1).undone().
				says("ok since "+nightly+": newest", whole, "since then 1 attempt failed: 1 PartiallyFailed; the last is "+failed, "velero backup logs "+failed,
					"XX none "+never+": no Completed backup: 1 attempt failed")
		}},
		promise{says: "backups that cannot be restored now, or cannot be written, fail with the storage location's name", needs: velero, proof: func(s *scene) {
			place := s.location("place")
			nightly := s.scheduled("nightly", func(schedule *velerov1.Schedule) { schedule.Spec.Template.StorageLocation = place })
			s.runs(nightly, velerov1.BackupPhaseCompleted)
			fresh := check("fresh", `schedules: [`+nightly+`], maxAge: 1h`)
			s.looksAt(fresh).exits(0).undone().says("ok fresh")
			s.relocate(place, `"accessMode":"ReadOnly"`, velerov1.BackupStorageLocationPhaseAvailable)
			s.looksAt(fresh).exits(1).undone().says("XX fresh " + nightly + ": the next backup can not be written: storage location " + place + " is ReadOnly")
			s.relocate(place, `"accessMode":"ReadWrite","objectStorage":{"bucket":"nowhere"}`, velerov1.BackupStorageLocationPhaseUnavailable)
			s.looksAt(fresh).exits(1).undone().says("XX fresh "+nightly+": ", "can not be restored now: storage location "+place+" is Unavailable")
			s.must(s.inVelero("backupstoragelocations").Delete(s.ctx, place, metav1.DeleteOptions{}))
			s.looksAt(fresh).exits(1).undone().says("XX fresh "+nightly+": ", "can not be restored now: there is no storage location "+place)
		}},
		promise{says: "another cluster's backups of a Schedule of the same name do not count, and a deleted backup is missed", needs: velero, proof: func(s *scene) {
			nightly := s.scheduled("nightly")
			own := s.runs(nightly, velerov1.BackupPhaseCompleted)
			other := s.scheduled("other", notDue)
			s.twin(own, "twin", func(twin *velerov1.Backup) {
				twin.Name, twin.Labels = other+"-20260101000000", map[string]string{velerov1.ScheduleNameLabel: other}
			})
			fresh := check("fresh", `schedules: [`+nightly+`], maxAge: 1h`)
			s.looksAt(fresh, check("other", `schedules: [`+other+`], maxAge: 1h`)).exits(3).undone().
				says("ok fresh", "?? other cannot tell: "+other+": has made no backup yet", "1 backup that Velero found in the storage location")
			s.removeBackup(own)
			s.looksAt(fresh).exits(1).undone().says("XX fresh " + nightly + ": no backup is left")
		}},
		promise{says: "what Velero last said of its storage location is not believed when it has stopped looking", needs: velero, proof: func(s *scene) {
			nightly := s.scheduled("nightly")
			s.runs(nightly, velerov1.BackupPhaseCompleted)
			s.scaleVelero(0)
			s.Cleanup(func() { s.scaleVelero(1) })
			before := time.Now().Add(-2 * time.Hour).UTC().Format(time.RFC3339)
			_, err := s.inVelero("backupstoragelocations").Patch(s.ctx, "default", types.MergePatchType, []byte(`{"status":{"lastValidationTime":"`+before+`"}}`), metav1.PatchOptions{})
			s.must(err)
			s.looksAt(check("fresh", `schedules: [`+nightly+`], maxAge: 1h`)).exits(3).undone().
				says("?? fresh cannot tell: "+nightly+": storage location default is Available, but Velero last looked 2h", "is Velero running?")
		}},
		promise{says: "plan tells how old the backups are, and refuses only who may not look", needs: velero, proof: func(s *scene) {
			young := s.scheduled("young", notDue)
			d := s.looking(check("fresh", `schedules: [`+young+`], maxAge: 1h`))
			s.plan(d, s.veleroFlags()...).exits(0).says(young + ": has made no backup yet")
			s.plan(d, append(s.veleroFlags(), "--kubeconfig", s.powerless())...).exits(5).
				says("this user may not:", "list backups.velero.io in namespace "+cluster.VeleroNamespace, "list schedules.velero.io", "hint:")
		}},
	)
}

// check is a check of Velero's Schedules with these fields.
func check(name, fields string) string {
	return fmt.Sprintf(`{name: %s, backups: {veleroSchedules: {%s}}}`, name, fields)
}

// looking is a drill of which only the checks matter.
func (s *scene) looking(checks ...string) drill {
	s.Helper()
	if len(s.pods("web")) == 0 {
		s.deployment("web", 1)
	}
	return drill{checks: "[" + strings.Join(checks, ", ") + "]", steps: `[{name: kill, podKill: {namespace: "${ns}", selector: app=web, gracePeriod: 0s}}]`}
}

// looksAt runs a drill of which only the checks matter.
func (s *scene) looksAt(checks ...string) *result {
	s.Helper()
	return s.run(s.looking(checks...), s.veleroFlags()...)
}

// powerless is a kubeconfig of a user who may do nothing.
func (s *scene) powerless() string { return s.kubeconfigOf("default") }

// scheduled makes a Schedule of the scene's namespace that is due at once, as if its
// last backup had been years ago, and then not for long.
func (s *scene) scheduled(name string, changes ...func(*velerov1.Schedule)) string {
	s.Helper()
	files := false
	schedule := &velerov1.Schedule{
		ObjectMeta: metav1.ObjectMeta{Name: s.ns + "-" + name, Namespace: cluster.VeleroNamespace},
		Spec: velerov1.ScheduleSpec{Schedule: "0 0 1 1 *", Template: velerov1.BackupSpec{
			IncludedNamespaces: []string{s.ns}, StorageLocation: "default", DefaultVolumesToFsBackup: &files,
		}},
		Status: velerov1.ScheduleStatus{LastBackup: &metav1.Time{Time: time.Now().AddDate(-2, 0, 0)}},
	}
	for _, change := range changes {
		change(schedule)
	}
	s.make("schedules", "Schedule", schedule)
	s.Cleanup(func() {
		s.must(s.inVelero("schedules").Delete(s.ctx, schedule.Name, metav1.DeleteOptions{}))
		for _, backup := range s.backupsOf(schedule.Name) {
			s.removeBackup(backup.Name)
		}
	})
	return schedule.Name
}

// notDue lets a Schedule wait for its time.
func notDue(schedule *velerov1.Schedule) { schedule.Status.LastBackup = nil }

// isDue lets a Schedule run again at once, with a change of its spec: Velero looks at
// what was changed there.
func (s *scene) isDue(schedule, change string) {
	s.Helper()
	if change == "" {
		change = `"useOwnerReferencesInBackup":false`
	}
	patch := fmt.Sprintf(`{"spec":{%s},"status":{"lastBackup":%q}}`, change, time.Now().AddDate(-2, 0, 0).UTC().Format(time.RFC3339))
	_, err := s.inVelero("schedules").Patch(s.ctx, schedule, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	s.must(err)
}

func (s *scene) backupsOf(schedule string) []velerov1.Backup {
	s.Helper()
	if len(schedule) > validation.LabelValueMaxLength {
		return nil // there can be none
	}
	list, err := s.inVelero("backups").List(s.ctx, metav1.ListOptions{LabelSelector: velerov1.ScheduleNameLabel + "=" + schedule})
	s.must(err)
	backups := make([]velerov1.Backup, len(list.Items))
	for i, item := range list.Items {
		s.read("backups", item.GetName(), &backups[i])
	}
	return backups
}

// runs waits until a Schedule has a backup that is not one of those, and that has
// ended in that phase.
func (s *scene) runs(schedule string, phase velerov1.BackupPhase, not ...string) string {
	s.Helper()
	found := ""
	s.eventually(schedule+" has a backup that is "+string(phase), func() (bool, string) {
		seen := "none"
		for _, backup := range s.backupsOf(schedule) {
			if len(not) > 0 && backup.Name == not[0] {
				continue
			}
			found, seen = backup.Name, fmt.Sprintf("%s: %+v", backup.Name, backup.Status)
			if backup.Status.Phase == phase {
				return true, ""
			}
		}
		return false, seen
	})
	return found
}

func (s *scene) untilPhase(schedule string, phase velerov1.SchedulePhase) {
	s.Helper()
	s.eventually(schedule+" is "+string(phase), func() (bool, string) {
		var now velerov1.Schedule
		s.read("schedules", schedule, &now)
		return now.Status.Phase == phase, string(now.Status.Phase)
	})
}

// location makes a storage location beside the default one, with a bucket of its
// own: Velero takes a directory of others in its bucket for a mistake.
func (s *scene) location(name string) string {
	s.Helper()
	bucket := filepath.Join(filepath.Dir(s.provider.Cluster().BucketDir()), s.ns)
	s.must(os.Mkdir(bucket, 0o755))
	s.Cleanup(func() { s.must(os.RemoveAll(bucket)) })
	var place velerov1.BackupStorageLocation
	if !s.read("backupstoragelocations", "default", &place) {
		s.Fatal("there is no default storage location")
	}
	own := &velerov1.BackupStorageLocation{ObjectMeta: metav1.ObjectMeta{Name: s.ns + "-" + name, Namespace: cluster.VeleroNamespace}, Spec: place.Spec}
	own.Spec.Default = false
	own.Spec.ObjectStorage = &velerov1.ObjectStorageLocation{Bucket: s.ns}
	s.make("backupstoragelocations", "BackupStorageLocation", own)
	s.Cleanup(func() {
		s.must(s.inVelero("backupstoragelocations").DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{FieldSelector: "metadata.name=" + own.Name}))
	})
	s.relocated(own.Name, velerov1.BackupStorageLocationPhaseAvailable, time.Time{})
	return own.Name
}

// relocate changes the spec of a storage location and waits until Velero has looked at it.
func (s *scene) relocate(name, change string, phase velerov1.BackupStorageLocationPhase) {
	s.Helper()
	changed := time.Now()
	_, err := s.inVelero("backupstoragelocations").Patch(s.ctx, name, types.MergePatchType, []byte(`{"spec":{`+change+`}}`), metav1.PatchOptions{})
	s.must(err)
	s.relocated(name, phase, changed)
}

func (s *scene) relocated(name string, phase velerov1.BackupStorageLocationPhase, since time.Time) {
	s.Helper()
	s.eventually(name+" is "+string(phase), func() (bool, string) {
		var now velerov1.BackupStorageLocation
		s.read("backupstoragelocations", name, &now)
		seen := now.Status.LastValidationTime
		return now.Status.Phase == phase && seen != nil && seen.After(since), fmt.Sprintf("%+v", now.Status)
	})
}
