package e2e

import (
	"fmt"
	"os"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// slow keeps a backup of the scene in progress for so long: a hook in its pod never
// ends by itself.
func (s *scene) slow(duration string) {
	s.Helper()
	s.deployment("slow", 1, annotated(map[string]string{
		"pre.hook.backup.velero.io/command":  `["/shop", "worker", "-listen=:0"]`,
		"pre.hook.backup.velero.io/timeout":  duration,
		"pre.hook.backup.velero.io/on-error": "Continue",
	}))
}

// dozens makes so many objects that a restore takes seconds.
func (s *scene) dozens(count int) {
	s.Helper()
	for i := range count {
		s.configMap(fmt.Sprintf("one-of-many-%d", i), "as it was")
	}
}

// inProgress wants Velero to be at work for a run: what is cut later proves nothing.
func (s *scene) inProgress(resource string) {
	s.Helper()
	all, err := s.inVelero(resource).List(s.ctx, metav1.ListOptions{LabelSelector: labelRun})
	s.must(err)
	for _, one := range all.Items {
		if phase, _, _ := unstructured.NestedString(one.Object, "status", "phase"); phase == "InProgress" {
			return
		}
	}
	s.Fatalf("none of %d %s of a run is in progress", len(all.Items), resource)
}

func TestVeleroCuts(t *testing.T) {
	whileBackedUp := func(s *scene, duration string) *process {
		s.Helper()
		s.slow(duration)
		p := s.begin(longer(climbing(restoring("cut", fromNow))), s.veleroFlags()...)
		p.untilSays("backup is InProgress")
		return p
	}
	prove(t,
		promise{says: "Velero killed in mid-backup fails the step, and what it left of the backup is cleaned away", needs: velero, proof: func(s *scene) {
			p := whileBackedUp(s, "1m")
			s.killVelero()
			p.wait().exits(1).undone().leavesNothing().breaks("cut", "backup", "fail", "server starting", "Failed")
			s.untilVeleroServes()
		}},
		promise{says: "after kill -9 in mid-backup recover waits for the backup to end and deletes it", needs: velero, proof: func(s *scene) {
			p := whileBackedUp(s, "12s")
			p.signal(os.Kill)
			r := p.wait()
			s.inProgress("backups")
			s.unlock()
			s.recover().exits(0).says("backup gameday-")
			r.leavesNothing()
			s.recover().exits(0).says("nothing to do")
		}},
		promise{says: "Ctrl-C in mid-backup and in mid-restore exits 130 and leaves nothing", needs: velero, proof: func(s *scene) {
			p := whileBackedUp(s, "8s")
			s.inProgress("backups")
			p.signal(os.Interrupt)
			p.wait().exits(130).undone().leavesNothing()
			s.must(s.client.AppsV1().Deployments(s.ns).Delete(s.ctx, "slow", metav1.DeleteOptions{}))
			s.dozens(400)
			p = s.begin(longer(climbing(restoring("cut", fromNow))), s.veleroFlags()...)
			p.untilSays("restore is InProgress")
			s.inProgress("restores")
			p.signal(os.Interrupt)
			p.wait().exits(130).undone().leavesNothing()
		}},
		promise{says: "a backup whose storage location is gone is lost, by name", needs: velero, proof: func(s *scene) {
			s.configMap("conf", "as it was")
			whole := s.backedUp("whole", false)
			homeless := s.twin(whole, "homeless", func(b *velerov1.Backup) { b.Spec.StorageLocation = "no-more" })
			d := longer(climbing(restoring("homeless", fromBackup(homeless))))
			s.plan(d, s.veleroFlags()...).exits(0).says("no-more", "will fail")
			s.run(d, s.veleroFlags()...).exits(1).undone().leavesNothing().breaks("homeless", "backup", "fail", "storage location no-more is gone")
		}},
	)
}
