package report

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

var began = time.Date(2026, 5, 12, 12, 2, 50, 0, time.UTC)

// story writes a record as a run would: each event a number of seconds after
// the one before.
type story struct {
	t      *testing.T
	now    time.Time
	events []journal.Event
}

func tell(t *testing.T) *story {
	s := &story{t: t, now: began}
	return s.event(0, "", journal.RunStarted, journal.RunInfo{
		ID: "r-7kq2", Scenario: "shop-survives-a-node-drain", Document: json.RawMessage(document), Seed: 7,
		Cluster: "prod-eu", Gameday: "v0.1.0", Kubernetes: "v1.36.3", Host: "runner-0",
	})
}

const document = `{"spec":{
	"checks":[{"name":"web-stays-up","availability":{"workload":{"kind":"Deployment"}},"abortOnBreach":true},
	          {"name":"pager-rings","alerts":{"expect":[{"alert":"ShopPodDown"}]}}],
	"steps":[{"name":"kill-one","hold":"30s","podKill":{"namespace":"shop"}},
	         {"parallel":[{"name":"drain","nodeDrain":{"selector":"","expect":"drained"}}]}]}}`

func (s *story) event(after float64, step, kind string, payload any) *story {
	s.t.Helper()
	s.now = s.now.Add(time.Duration(after * float64(time.Second)))
	event := journal.Event{Version: 1, Seq: int64(len(s.events) + 1), Time: s.now, Kind: kind, Step: step}
	if payload != nil {
		data, err := json.Marshal(payload)
		if err != nil {
			s.t.Fatal(err)
		}
		event.Data = data
	}
	s.events = append(s.events, event)
	return s
}

func (s *story) killOne() *story { return s.killOneBegins().killOneEnds() }

func (s *story) killOneBegins() *story {
	return s.event(1, "kill-one", journal.StepPlanned, journal.Planned{Experiment: "podKill",
		Targets: []journal.Target{{Kind: "Pod", Namespace: "shop", Name: "web-x2p9z", UID: "u1", Node: "node-1"}}}).
		event(0.1, "kill-one", journal.StepInjecting, nil)
}

func (s *story) killOneEnds() *story {
	return s.event(0.4, "kill-one", journal.StepInjected, journal.Outcome{State: journal.Done, Expected: true, Summary: "shop/web-x2p9z killed"}).
		event(3.1, "kill-one", journal.StepSettled, journal.Settled{Recovered: true, Seconds: 3.1, Summary: "its replacement Ready after 3.1s"}).
		event(30, "kill-one", journal.StepUndone, journal.Undone{OK: true})
}

func (s *story) drain(outcome journal.Outcome, settled *journal.Settled, undone *journal.Undone) *story {
	s.event(1, "drain", journal.StepPlanned, journal.Planned{Experiment: "nodeDrain",
		Targets: []journal.Target{{Kind: "Node", Name: "node-2"}}, Warnings: []string{"Prometheus runs on node-2"}}).
		event(0.1, "drain", journal.StepInjecting, nil).
		event(41, "drain", journal.StepInjected, outcome)
	if undone != nil {
		s.event(60, "drain", journal.StepUndone, *undone)
	}
	s.event(0.1, "", journal.RunSettling, nil)
	if settled != nil {
		s.event(10, "drain", journal.StepSettled, *settled)
	}
	return s
}

func (s *story) end(end journal.RunEnd) *journal.Record {
	return s.event(2, "", journal.RunFinished, end).record()
}

func (s *story) record() *journal.Record { return journal.NewRecord(s.events) }

var (
	drained   = journal.Outcome{State: journal.Done, Expected: true, Summary: "node-2 drained in 41s: 9 pods evicted, 2 waited 18s for PDB shop/web"}
	blocked   = journal.Outcome{State: journal.Blocked, Summary: "node-2 not drained: PDB shop/web needs 2 healthy, has 2"}
	broken    = journal.Outcome{State: journal.Failed, Summary: "cordoning node-2: connection refused"}
	whole     = &journal.Settled{Recovered: true, Seconds: 52}
	stillSick = &journal.Settled{Seconds: 300, Summary: "shop/web has 2 of 3 Ready after 5m0s"}
	uncordon  = &journal.Undone{OK: true, Summary: "node-2 uncordoned"}
	cordoned  = &journal.Undone{Left: "node-2 is still cordoned: kubectl uncordon node-2"}
	allUndone = journal.RunEnd{Undone: true}

	stayedUp = NamedFinding{"web-stays-up", verify.Finding{Verdict: verify.Pass, Summary: "never below 2 of 3"}}
	rang     = NamedFinding{"pager-rings", verify.Finding{Verdict: verify.Pass, Summary: "ShopPodDown fired 31s after kill-one, resolved after 1m12s; nothing else fired"}}
	fellDown = NamedFinding{"web-stays-up", verify.Finding{Verdict: verify.Fail,
		Summary: "1 of 3 available for 14.2s (12:03:07.120 to 12:03:21.340), floor is 2",
		Details: []string{"lost to: eviction of shop/web-abcde by this run's drain, while web-x2p9z was not Ready"},
		Hints:   []string{"web has no PDB; minAvailable 2 would have held the drain back. See docs/checks/availability.md"},
		Intervals: []verify.Interval{{From: began.Add(17 * time.Second), To: began.Add(31 * time.Second),
			What: "available 1 of 3", Cause: "drain", Level: "bad"}}}}
	silent = NamedFinding{"pager-rings", verify.Finding{Summary: "cannot tell: Prometheus gave no samples for 40s of 2m29s"}}
)

// runs are the kinds of endings a run can have; the goldens show each.
func runs() map[string]func(*testing.T) (*journal.Record, []NamedFinding) {
	type made = func(*testing.T) (*journal.Record, []NamedFinding)
	given := func(findings ...NamedFinding) []NamedFinding { return findings }
	return map[string]made{
		"pass": func(t *testing.T) (*journal.Record, []NamedFinding) {
			return tell(t).killOne().drain(drained, whole, uncordon).end(allUndone), given(stayedUp, rang)
		},
		"fail": func(t *testing.T) (*journal.Record, []NamedFinding) {
			return tell(t).killOne().drain(blocked, stillSick, uncordon).end(allUndone), given(fellDown, rang)
		},
		"inconclusive": func(t *testing.T) (*journal.Record, []NamedFinding) {
			return tell(t).killOne().drain(broken, whole, uncordon).end(allUndone), given(stayedUp, silent)
		},
		"refused": func(t *testing.T) (*journal.Record, []NamedFinding) {
			return tell(t).end(journal.RunEnd{Undone: true, Refused: "3 pods would be touched, limits.maxPods allows 1\nhint: lower the step's count"}), nil
		},
		"interrupted": func(t *testing.T) (*journal.Record, []NamedFinding) {
			return tell(t).killOneBegins().
				event(0.2, "", journal.RunAborting, journal.Reason{Reason: "SIGINT received", Cause: "interrupted"}).killOneEnds().
				end(journal.RunEnd{Undone: true, Interrupted: true}), given(stayedUp, silent)
		},
		"notundone": func(t *testing.T) (*journal.Record, []NamedFinding) {
			return tell(t).killOne().drain(drained, whole, cordoned).end(journal.RunEnd{}), given(stayedUp, rang)
		},
		"skipped": func(t *testing.T) (*journal.Record, []NamedFinding) {
			return tell(t).killOne().
				event(1, "drain", journal.StepSkipped, journal.Reason{Reason: "node-2 runs this run's own pod"}).
				event(1, "", journal.RunSettling, nil).
				end(allUndone), given(stayedUp, rang)
		},
		"torn": func(t *testing.T) (*journal.Record, []NamedFinding) {
			return tell(t).killOneBegins().record(), given(stayedUp)
		},
	}
}

func build(t *testing.T, name string) Report {
	t.Helper()
	record, findings := runs()[name](t)
	report, err := Build(record, findings, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestVerdictAndExitCode(t *testing.T) {
	want := map[string]struct {
		verdict verify.Verdict
		code    int
		cleanup Cleanup
	}{
		"pass":         {verify.Pass, 0, CleanupComplete},
		"fail":         {verify.Fail, 1, CleanupComplete},
		"inconclusive": {verify.Inconclusive, 3, CleanupComplete},
		"refused":      {verify.Inconclusive, 5, CleanupComplete},
		"interrupted":  {verify.Inconclusive, 130, CleanupComplete},
		"notundone":    {verify.Fail, 4, CleanupIncomplete},
		"skipped":      {verify.Inconclusive, 3, CleanupComplete},
		"torn":         {verify.Inconclusive, 3, CleanupUnknown},
	}
	for name := range runs() {
		t.Run(name, func(t *testing.T) {
			got, want := build(t, name), want[name]
			if got.Verdict != want.verdict || got.ExitCode != want.code || got.Cleanup != want.cleanup {
				t.Errorf("verdict %s, exit %d, cleanup %s; want %s, %d, %s",
					got.Verdict, got.ExitCode, got.Cleanup, want.verdict, want.code, want.cleanup)
			}
			if got.Undone != (want.cleanup == CleanupComplete) || (len(got.Left) == 0) != got.Undone {
				t.Errorf("undone %v and left %q with cleanup %s", got.Undone, got.Left, got.Cleanup)
			}
		})
	}
}

func TestOneStep(t *testing.T) {
	expected := func(o journal.Outcome) journal.Outcome { o.Expected = true; return o }
	unexpected := func(o journal.Outcome) journal.Outcome { o.Expected = false; return o }
	for name, test := range map[string]struct {
		outcome journal.Outcome
		settled *journal.Settled
		end     journal.RunEnd
		want    verify.Verdict
	}{
		"done as expected":               {drained, whole, allUndone, verify.Pass},
		"blocked as expected":            {expected(blocked), whole, allUndone, verify.Pass},
		"blocked though done expected":   {blocked, whole, allUndone, verify.Fail},
		"done though blocked expected":   {unexpected(drained), whole, allUndone, verify.Fail},
		"failed":                         {broken, whole, allUndone, verify.Inconclusive},
		"failed, called expected":        {expected(broken), whole, allUndone, verify.Inconclusive},
		"failed and never whole again":   {broken, stillSick, allUndone, verify.Fail},
		"never whole again":              {drained, stillSick, allUndone, verify.Fail},
		"settling not recorded":          {drained, nil, allUndone, verify.Inconclusive},
		"settling cut by an interrupt":   {drained, stillSick, journal.RunEnd{Undone: true, Interrupted: true}, verify.Inconclusive},
		"a state from a later version":   {journal.Outcome{State: "melted", Expected: true}, whole, allUndone, verify.Inconclusive},
		"unexpected, and an interrupt":   {blocked, nil, journal.RunEnd{Undone: true, Interrupted: true}, verify.Fail},
		"an injection that says skipped": {journal.Outcome{State: journal.Skipped, Expected: true}, whole, allUndone, verify.Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := Build(tell(t).killOne().drain(test.outcome, test.settled, uncordon).end(test.end), []NamedFinding{stayedUp, rang}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := report.Steps[1]; got.Verdict != test.want {
				t.Errorf("verdict %s, want %s: %+v", got.Verdict, test.want, got)
			}
		})
	}
}

// Each of these takes one piece of evidence away from a run that passes.
func TestNoPassWithoutEvidence(t *testing.T) {
	passing := func(t *testing.T) *story { return tell(t).killOne().drain(drained, whole, uncordon) }
	open := stayedUp
	open.Finding.Open = true
	both := []NamedFinding{stayedUp, rang}
	settling := func(e journal.Event) bool { return e.Kind == journal.RunSettling }
	for name, test := range map[string]struct {
		record   *journal.Record
		findings []NamedFinding
		code     int
	}{
		"a check was not judged":          {passing(t).end(allUndone), both[:1], 3},
		"a check was still open":          {passing(t).end(allUndone), []NamedFinding{open, rang}, 3},
		"nobody decided":                  {passing(t).end(allUndone), []NamedFinding{stayedUp, {Name: "pager-rings"}}, 3},
		"a step was never begun":          {tell(t).killOne().end(allUndone), both, 3},
		"the end is missing":              {passing(t).record(), both, 3},
		"a hold was cut short":            {tell(t).killOne().event(0, "kill-one", journal.StepHolding, journal.Hold{Seconds: 9}).drain(drained, whole, uncordon).end(allUndone), both, 3},
		"the run never settled":           {journal.NewRecord(slices.DeleteFunc(passing(t).event(1, "", journal.RunFinished, allUndone).events, settling)), both, 3},
		"the run was aborted":             {passing(t).event(0, "", journal.RunAborting, journal.Reason{Cause: "timeout"}).end(allUndone), both, 3},
		"the end does not say undone":     {passing(t).end(journal.RunEnd{}), both, 4},
		"a step says it is not undone":    {tell(t).killOne().drain(drained, whole, cordoned).end(allUndone), both, 4},
		"not undone, and no end":          {tell(t).killOne().drain(drained, whole, cordoned).record(), both, 4},
		"not undone outranks interrupted": {passing(t).end(journal.RunEnd{Interrupted: true}), both, 4},
		"interrupted outranks fail":       {passing(t).end(journal.RunEnd{Undone: true, Interrupted: true}), []NamedFinding{fellDown, rang}, 130},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := Build(test.record, test.findings, nil)
			if err != nil {
				t.Fatal(err)
			}
			if report.Verdict == verify.Pass || report.ExitCode != test.code {
				t.Errorf("verdict %s, exit code %d; want no pass and %d", report.Verdict, report.ExitCode, test.code)
			}
		})
	}
}

func TestUndoneAtTheSecondAttempt(t *testing.T) {
	record := tell(t).killOne().drain(drained, whole, cordoned).event(1, "drain", journal.StepUndone, uncordon).end(allUndone)
	report, err := Build(record, []NamedFinding{stayedUp, rang}, nil)
	if err != nil || report.ExitCode != 0 || len(report.Steps[1].Details) != 1 {
		t.Errorf("exit code %d (%v): %+v", report.ExitCode, err, report.Steps[1])
	}
}

// A recovery writes a second end into the record of a run that was killed or
// given up; the run itself is no better for it.
func TestRecovered(t *testing.T) {
	undone := func(s *story) *story { return s.event(3600, "drain", journal.StepUndone, uncordon) }
	for name, test := range map[string]struct {
		record *journal.Record
		code   int
	}{
		"killed while it held": {undone(tell(t).killOne().
			event(1, "drain", journal.StepInjecting, nil).
			event(1, "drain", journal.StepInjected, drained).
			event(9, "drain", journal.StepSettled, whole).
			event(0, "drain", journal.StepHolding, journal.Hold{Seconds: 60})).end(allUndone), 3},
		"undo given up after an interrupt": {undone(tell(t).killOne().drain(drained, whole, cordoned).
			event(1, "", journal.RunFinished, journal.RunEnd{Interrupted: true})).end(allUndone), 130},
		"undo failed": {undone(tell(t).killOne().drain(drained, whole, cordoned).
			event(1, "", journal.RunFinished, journal.RunEnd{})).end(allUndone), 0},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := Build(test.record, []NamedFinding{stayedUp, rang}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if report.ExitCode != test.code || !report.Undone {
				t.Errorf("exit code %d, want %d; %+v", report.ExitCode, test.code, report)
			}
		})
	}
}

func TestRecordWithoutBeginning(t *testing.T) {
	if _, err := Build(journal.NewRecord(nil), nil, nil); err == nil {
		t.Error("built a report of an empty record")
	}
}

func TestNothingDoneNothingChecked(t *testing.T) {
	story := tell(t)
	story.events[0].Data = json.RawMessage(`{"id":"r","scenario":"empty"}`)
	report, err := Build(story.end(allUndone), nil, nil)
	if err != nil || report.Verdict != verify.Inconclusive {
		t.Errorf("verdict %s of nothing (%v)", report.Verdict, err)
	}
}

func TestStepsWithoutADocument(t *testing.T) {
	story := tell(t)
	story.events[0].Data = json.RawMessage(`{"id":"r","scenario":"s","document":["of","another","age"]}`)
	report, err := Build(story.killOne().drain(drained, whole, uncordon).end(allUndone), []NamedFinding{rang}, nil)
	if err != nil || report.Verdict != verify.Pass || len(report.Steps) != 2 || report.Steps[0].Name != "kill-one" {
		t.Errorf("%v: %+v", err, report)
	}
}
