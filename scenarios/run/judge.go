package run

import (
	"fmt"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/scenarios"
	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/report"
)

// Judge finds what a record means, from the record alone: no cluster, no
// clock, no files. The same record gives the same report for ever.
func Judge(record *journal.Record) (report.Report, error) {
	info, err := record.Info()
	if err != nil {
		return report.Report{}, err
	}
	scenario, err := scenarios.Decode(info.Document)
	if err != nil {
		return report.Report{}, fmt.Errorf("reading the scenario in the record: %w", err)
	}
	_, finished := record.Last(journal.RunFinished)
	var findings []report.NamedFinding
	for _, declared := range scenario.Spec.Checks {
		findings = append(findings, report.NamedFinding{Name: declared.Name, Finding: closed(judge(declared.Check(), record), finished)})
	}
	proofs := map[string]backup.Result{}
	for step := range scenario.Faults() {
		if proof := step.Proof(); proof != nil {
			proofs[step.Name] = judgeProof(proof, record, step.Name)
		}
	}
	return report.Build(record, findings, proofs)
}

// closed makes sure that a finding which more observation could have changed
// does not pass: the run, or its record, ended before the promise could be kept
// or broken.
func closed(finding verify.Finding, finished bool) verify.Finding {
	if finding.Verdict == verify.Pass && (finding.Open || !finished) {
		finding.Verdict = verify.Inconclusive
		finding.Summary = "the record ends too early to tell: " + finding.Summary
	}
	return finding
}
