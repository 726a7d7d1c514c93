package velero

import (
	"slices"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// Judge says whether every rung asked for holds and the objectives were met.
func (s *Restore) Judge(record *journal.Record, step string) backup.Result {
	climb, err := backup.ReadClimb(record, step, "backup", rungs())
	if err != nil {
		return backup.Result{Finding: verify.Finding{Summary: "the record cannot be read: " + err.Error()}}
	}
	objectives := s.Objectives
	if objectives == nil {
		objectives = &backup.Objectives{}
	}
	required := s.required()
	evidence := climb.Evidence(required, *objectives)
	finding := climb.Reach(required, &evidence)
	if finding.Verdict == verify.Pass {
		// The last rung alone would not say what was proven.
		for _, name := range required[:len(required)-1] {
			finding.Details = append(finding.Details, climb.Rungs[name].Told()...)
		}
	}
	climb.RecoveryPoint(objectives.RPO, climb.Rungs[rungBackup].Verdict == verify.Pass, &evidence, &finding)
	recovering := slices.DeleteFunc([]string{rungRestore, rungReady}, func(name string) bool { return !slices.Contains(required, name) })
	climb.RecoveryTime(recovering, recovering, objectives.RTO, &evidence, &finding)
	climb.Doubt(&finding)
	return backup.Result{Finding: finding, Evidence: evidence}
}
