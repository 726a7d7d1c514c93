package e2e

import (
	"os"
	"path/filepath"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"gameday.dev/gameday/test/shop"
)

// The shipped drills as a person runs them: on the local cluster's shop, with the
// Environment that the cluster prints, and nothing set that has a default.
func TestVeleroLibrary(t *testing.T) {
	prove(t,
		promise{says: "velero-restore proves the newest backup of a schedule", needs: velero, proof: func(s *scene) {
			nightly := s.scheduled("nightly", func(schedule *velerov1.Schedule) {
				schedule.Spec.Template.IncludedNamespaces = []string{shop.Namespace}
				schedule.Spec.Template.DefaultVolumesToFsBackup = new(true)
			})
			backup := s.runs(nightly, velerov1.BackupPhaseCompleted)
			s.shipped("velero-restore", "schedule="+nightly).exits(0).says("RPO", "RTO").
				finds("comes-back", "backup", "pass", backup).finds("comes-back", "volumes", "pass", "2 volumes").finds("comes-back", "control", "pass")
		}},
		promise{says: "velero-restore-now proves that what a backup taken now brings back runs", needs: velero, proof: func(s *scene) {
			s.shipped("velero-restore-now").exits(0).says("RTO").
				finds("comes-back", "ready", "pass", "3 workloads are ready, 2 claims are bound").finds("comes-back", "control", "pass")
		}},
		promise{says: "velero-restore-files proves that a backup taken now holds the files of the volumes", needs: velero, proof: func(s *scene) {
			s.shipped("velero-restore-files").exits(0).says("RTO").
				finds("comes-back", "volumes", "pass", "by sha256").finds("comes-back", "control", "pass")
		}},
	)
}

// shipped runs a scenario of the library to its end, and wants nothing left of it.
func (s *scene) shipped(name string, parameters ...string) *result {
	s.Helper()
	library, err := filepath.Abs(filepath.Join("..", "..", "scenarios", "library"))
	s.must(err)
	runs, err := os.MkdirTemp(s.dir, "runs-")
	s.must(err)
	s.must(os.MkdirAll(s.scratch(), 0o700))
	args := []string{"run", filepath.Join(library, name+".yaml"), "--yes", "--environment", s.provider.Cluster().Environment(),
		"--runs-dir", runs, "--scratch-dir", s.scratch()}
	for _, parameter := range parameters {
		args = append(args, "--set", parameter)
	}
	return s.gameday(args...).undone().leavesNothing()
}
