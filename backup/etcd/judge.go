package etcd

import (
	"slices"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// Judge says whether the rung asked for was reached, the objectives were met,
// and the living members agreed.
func (s *Restore) Judge(record *journal.Record, step string) backup.Result {
	objectives := s.Objectives
	if objectives == nil {
		objectives = &backup.Objectives{}
	}
	return judge(record, step, rungs()[:slices.Index(rungs(), s.level())+1], *objectives)
}

// Judge says whether a whole snapshot was stored and the living members agreed.
func (s *Snapshot) Judge(record *journal.Record, step string) backup.Result {
	return judge(record, step, []string{rungSnapshot, rungIntegrity}, backup.Objectives{})
}

func judge(record *journal.Record, step string, required []string, objectives backup.Objectives) backup.Result {
	climb, err := backup.ReadClimb(record, step, "snapshot", rungs())
	if err != nil {
		return backup.Result{Finding: verify.Finding{Summary: "the record cannot be read: " + err.Error()}}
	}
	evidence := climb.Evidence(required, objectives)
	finding := climb.Reach(required, &evidence)
	judgeMembers(climb, &finding)
	readable := climb.Rungs[rungIntegrity].Verdict == verify.Pass
	climb.RecoveryPoint(objectives.RPO, readable, &evidence, &finding)
	recovering := slices.DeleteFunc([]string{rungRestore, rungServe, rungAPIServer}, func(name string) bool { return !slices.Contains(required, name) })
	serving := recovering
	if !slices.Contains(required, rungServe) {
		serving = nil
	}
	climb.RecoveryTime(recovering, serving, objectives.RTO, &evidence, &finding)
	climb.Doubt(&finding)
	return backup.Result{Finding: finding, Evidence: evidence}
}

// judgeMembers takes in whether the living members agree. That they could not be
// compared is no finding against the snapshot; that nobody tried is.
func judgeMembers(climb backup.Climb, finding *verify.Finding) {
	members, tried := climb.Rungs[rungMembers]
	switch {
	case !tried && finding.Verdict == verify.Pass:
		backup.Worsen(finding, verify.Inconclusive, "the record does not say whether the living members agree")
	case members.Verdict == verify.Fail:
		backup.Worsen(finding, verify.Fail, members.Summary, members.Problems...)
		finding.Hints = append(finding.Hints, members.Hints...)
	case tried:
		finding.Details = append(finding.Details, members.Summary)
	}
}
