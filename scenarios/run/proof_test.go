package run

import (
	"encoding/json"
	"testing"
	"time"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

const proofDocument = `{"apiVersion":"gameday.dev/v1alpha1","kind":"Scenario","metadata":{"name":"drill"},"spec":{"steps":[{"name":"etcd","etcdRestore":{"level":"integrity"}}]}}`

// proofRecord is a run of one proof that was carried out to its end.
func proofRecord(t *testing.T, outcome journal.Outcome, rungs ...backup.Rung) *journal.Record {
	t.Helper()
	var events []journal.Event
	add := func(step, kind string, payload any) {
		event := journal.Event{Version: 1, Seq: int64(len(events) + 1), Time: time.Unix(int64(1000+len(events)), 0), Kind: kind, Step: step}
		if payload != nil {
			data, err := json.Marshal(payload)
			if err != nil {
				t.Fatal(err)
			}
			event.Data = data
		}
		events = append(events, event)
	}
	add("", journal.RunStarted, journal.RunInfo{ID: "r", Scenario: "drill", Document: json.RawMessage(proofDocument)})
	add("etcd", journal.StepPlanned, journal.Planned{Experiment: "etcdRestore"})
	add("etcd", journal.StepInjecting, nil)
	for _, rung := range rungs {
		add("etcd", backup.EventRung, rung)
	}
	add("etcd", journal.StepInjected, outcome)
	add("etcd", journal.StepSettled, journal.Settled{Recovered: true})
	add("etcd", journal.StepUndone, journal.Undone{OK: true})
	add("", journal.RunSettling, nil)
	add("", journal.RunFinished, journal.RunEnd{Undone: true})
	return journal.NewRecord(events)
}

// What a proof found decides, not how its step ended: a snapshot that is
// damaged is a failure though the climb came to its end, and the other way round
// an outcome that says done is worth nothing without the rungs.
func TestProofIsJudgedByItsEvidence(t *testing.T) {
	done := journal.Outcome{State: journal.Done, Expected: true, Summary: "reached integrity"}
	failed := journal.Outcome{State: journal.Failed, Summary: "reached snapshot"}
	rung := func(name string, verdict verify.Verdict) backup.Rung {
		return backup.Rung{Name: name, Verdict: verdict, Summary: name}
	}
	members, taken := rung("members", verify.Pass), rung("snapshot", verify.Pass)
	for name, test := range map[string]struct {
		outcome journal.Outcome
		rungs   []backup.Rung
		code    int
	}{
		"proven":              {done, []backup.Rung{members, taken, rung("integrity", verify.Pass)}, 0},
		"damaged":             {failed, []backup.Rung{members, taken, rung("integrity", verify.Fail)}, 1},
		"damaged, said done":  {done, []backup.Rung{members, taken, rung("integrity", verify.Fail)}, 1},
		"could not be told":   {failed, []backup.Rung{members, taken, rung("integrity", verify.Inconclusive)}, 3},
		"done, without rungs": {done, nil, 3},
		"members disagree":    {done, []backup.Rung{rung("members", verify.Fail), taken, rung("integrity", verify.Pass)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := Judge(proofRecord(t, test.outcome, test.rungs...))
			if err != nil {
				t.Fatal(err)
			}
			step := report.Steps[0]
			if report.ExitCode != test.code || step.Proof == nil || step.Proof.Required != "integrity" {
				t.Errorf("exit code %d, want %d: %+v", report.ExitCode, test.code, step)
			}
		})
	}
}
