// Package report turns a run's record and the findings of its checks into what
// people and machines read: text, JSON, YAML and JUnit. It adds up verdicts, it
// reaches none of its own about the cluster: Build reads no clock, does no I/O
// and never reports a pass that some part of the record does not carry.
package report

import (
	"fmt"
	"slices"
	"time"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// What a report says it is, so that its readers can refuse what they don't know.
const (
	APIVersion = "gameday.dev/v1alpha1"
	Kind       = "Report"
)

// Report is the result of one run and the contract of report.json. Fields are
// added over time, never renamed. Verdict is pass exactly when ExitCode is 0.
type Report struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Run is the id that labels everything the run created.
	Run      string         `json:"run"`
	Scenario string         `json:"scenario"`
	Verdict  verify.Verdict `json:"verdict"`
	ExitCode int            `json:"exitCode"`

	Started time.Time `json:"started"`
	// Finished is absent when the record has no end: the runner was killed.
	Finished time.Time `json:"finished,omitzero"`
	// RecordEnds is the time of the last event.
	RecordEnds      time.Time `json:"recordEnds"`
	DurationSeconds float64   `json:"durationSeconds"`

	Cluster     string `json:"cluster"`
	Environment string `json:"environment,omitempty"`
	Kubernetes  string `json:"kubernetes"`
	Gameday     string `json:"gameday"`
	Host        string `json:"host,omitempty"`
	Seed        int64  `json:"seed"`

	// Steps and Checks are in the order of the scenario.
	Steps  []Step  `json:"steps"`
	Checks []Check `json:"checks"`

	Cleanup Cleanup `json:"cleanup"`
	// Undone is true when Cleanup is complete.
	Undone bool `json:"undone"`
	// Left names what remains, or may remain, and how to finish it by hand.
	Left        []string `json:"left"`
	Interrupted bool     `json:"interrupted"`
	// Refused is why nothing was touched, empty when the run began.
	Refused string `json:"refused,omitempty"`
	// Aborted is why the run was not carried out as written, empty otherwise.
	Aborted string `json:"aborted,omitempty"`
	// Hints concern the run as a whole; each check has its own.
	Hints []string `json:"hints,omitempty"`
}

// Cleanup is what is known about undoing the run's faults.
type Cleanup string

// The states of cleanup. Unknown is what a killed runner leaves behind.
const (
	CleanupComplete   Cleanup = "complete"
	CleanupIncomplete Cleanup = "incomplete"
	CleanupUnknown    Cleanup = "unknown"
)

// Step is what became of one step.
type Step struct {
	Name       string         `json:"name"`
	Experiment string         `json:"experiment,omitempty"`
	State      journal.State  `json:"state"`
	Verdict    verify.Verdict `json:"verdict"`
	// Expected says whether the scenario asked for this state.
	Expected bool `json:"expected"`
	// Summary is the experiment's own line, or why the step did not run.
	Summary string `json:"summary"`
	// Details say what keeps the step from passing, then its warnings.
	Details []string         `json:"details,omitempty"`
	Targets []journal.Target `json:"targets,omitempty"`
	// Started and Ended enclose the injection.
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	// Proof is the evidence of a step that proves something.
	Proof *backup.Evidence `json:"proof,omitempty"`
	// Hints say what to do next.
	Hints   []string         `json:"hints,omitempty"`
	Settled *journal.Settled `json:"settled,omitempty"`
	Undo    *journal.Undone  `json:"undo,omitempty"`
}

// Check is what one check found.
type Check struct {
	Name string `json:"name"`
	// Type is the check's field in the scenario: availability, alerts, …
	Type string `json:"type,omitempty"`
	verify.Finding
}

// NamedFinding is the finding of the check of that name.
type NamedFinding struct {
	Name    string
	Finding verify.Finding
}

// Build makes the report of a record from the findings of its checks, which
// are given in the order of the scenario, and from what its proofs have found, by
// the name of the step.
func Build(record *journal.Record, findings []NamedFinding, proofs map[string]backup.Result) (Report, error) {
	info, err := record.Info()
	if err != nil {
		return Report{}, fmt.Errorf("building report: %w", err)
	}
	outline := ReadOutline(info.Document)
	report := Report{
		APIVersion: APIVersion, Kind: Kind,
		Run: info.ID, Scenario: info.Scenario, Seed: info.Seed,
		Cluster: info.Cluster, Environment: info.Environment, Host: info.Host,
		Kubernetes: info.Kubernetes, Gameday: info.Gameday,
		RecordEnds: record.Now(), Left: []string{},
	}
	if err := report.readRun(record); err != nil {
		return Report{}, fmt.Errorf("building report: %w", err)
	}
	if report.Steps, err = readSteps(record, outline, ending{report.whyNotRun(), report.Interrupted}, proofs); err != nil {
		return Report{}, fmt.Errorf("building report: %w", err)
	}
	if report.Refused != "" {
		outline.Checks = nil // only those that were judged are worth a line
	}
	report.Checks = listChecks(findings, outline)
	if err := report.readCleanup(record); err != nil {
		return Report{}, fmt.Errorf("building report: %w", err)
	}
	report.Verdict = report.worst()
	report.ExitCode = ExitCode(report)
	return report, nil
}

// readRun reads the events of the run itself.
func (r *Report) readRun(record *journal.Record) error {
	if event, ok := record.First(journal.RunStarted); ok {
		r.Started = event.Time
	}
	// The first end is the run's own. A later one is of a recovery, which adds
	// only what has been undone since.
	if event, ok := record.First(journal.RunFinished); ok {
		r.Finished = event.Time
		var end journal.RunEnd
		if err := event.Decode(&end); err != nil {
			return err
		}
		r.Interrupted = end.Interrupted
		// A refusal carries its hint on a line of its own.
		r.Refused, r.Hints = splitHints(end.Refused)
	}
	if event, ok := record.First(journal.RunAborting); ok {
		var reason journal.Reason
		if err := event.Decode(&reason); err != nil {
			return err
		}
		r.Aborted = orElse(reason.Reason, orElse(reason.Cause, "no reason recorded"))
	}
	_, settling := record.First(journal.RunSettling)
	if !settling && !r.Finished.IsZero() && !r.Interrupted && r.Refused == "" {
		r.Aborted = orElse(r.Aborted, "the runner was killed, and a recovery closed the record")
	}
	r.DurationSeconds = r.RecordEnds.Sub(r.Started).Seconds()
	if !r.Finished.IsZero() {
		r.DurationSeconds = r.Finished.Sub(r.Started).Seconds()
	}
	return nil
}

// listChecks lists every check that was judged, and as inconclusive every
// check of the scenario that was not: a promise is not kept by forgetting it.
func listChecks(findings []NamedFinding, outline Outline) []Check {
	checks := make([]Check, 0, len(findings))
	for _, named := range findings {
		finding := named.Finding
		if finding.Open && finding.Verdict == verify.Pass {
			finding.Verdict = verify.Inconclusive
			finding.Details = append(slices.Clone(finding.Details), "the record ends before this could be told for good")
		}
		checks = append(checks, Check{Name: named.Name, Type: outline.check(named.Name).Type, Finding: finding})
	}
	for _, part := range outline.Checks {
		judged := func(check Check) bool { return check.Name == part.Name }
		if !slices.ContainsFunc(checks, judged) {
			checks = append(checks, Check{Name: part.Name, Type: part.Type, Finding: verify.Finding{Summary: "was not judged"}})
		}
	}
	return checks
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
