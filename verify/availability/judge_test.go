package availability

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// Each recording is of a run against which the judge was once wrong or could
// be: a change of the judge is incomplete until all of them are still told apart.
// The names begin with the verdict. Those with "real" in them were recorded on a
// cluster, the others were composed.
func TestRecordings(t *testing.T) {
	const lost = "lost to: "
	tests := map[string]struct {
		allowed time.Duration
		summary string
		// detail is part of the details or hints.
		detail string
	}{
		"pass-kill-within-floor":            {summary: "never below 2 of 3 (lowest 2); full count back 1.1s after the faults ended"},
		"pass-outage-within-allowance":      {10 * time.Second, "below 2 of 3 for 4.2s, 10s allowed (lowest 1); full count back 2s after the faults ended", "readiness of shop/web-7d4f-abcde"},
		"pass-gap-proven-by-steady-pods":    {summary: "never below 2 of 3 (lowest 2)", detail: "1 gap in the watches could not have hidden"},
		"pass-gap-shorter-than-allowance":   {10 * time.Second, "never below 2 of 3 (lowest 2)", "even an outage of all of it is allowed"},
		"pass-late-but-nothing-happened":    {summary: "never below 2 of 3", detail: "1 gap"},
		"pass-gap-of-another-watch":         {summary: "never below 2 of 3"},
		"pass-real-kill":                    {summary: "never below 2 of 3 (lowest 2); full count back 4.8s after the faults ended"},
		"pass-real-apiserver-restarted":     {summary: "never below 2 of 3 (lowest 3); full count there when the faults ended", detail: "2 gaps"},
		"fail-eviction-while-not-ready":     {summary: "1 of 3 available for 14.2s (12:03:07.120 to 12:03:21.340), floor is 2", detail: lost + "eviction of shop/web-7d4f-abcde by this run's drain, while web-7d4f-x2p9z was not Ready"},
		"fail-eviction-despite-budget":      {summary: "1 of 3 available", detail: "PDB web allowed the drain below the floor of 2"},
		"fail-node-not-ready":               {summary: "2 of 3 available for 45.5s", detail: lost + "node n2, not Ready (NodeStatusUnknown)"},
		"fail-node-frozen-by-this-run":      {summary: "2 of 3 available for 12s", detail: "on node n2, a target of this run's freeze"},
		"fail-another-eviction":             {summary: "1 of 3 available for 2s", detail: lost + "another eviction, not by this run, of shop/web-7d4f-abcde"},
		"fail-container-out-of-memory":      {summary: "1 of 3 available for 200ms", detail: "container web of shop/web-7d4f-abcde ended (OOMKilled, exit code 137)"},
		"fail-unknown-deletion":             {summary: "1 of 3 available for 2s", detail: lost + "unknown: shop/web-7d4f-abcde was deleted, not by this run"},
		"fail-recovered-late":               {summary: "2 of 3 available 1m30s after the faults ended, no more was allowed for the full count; it was back after 1m36s", detail: "still missing: deletion of shop/web-7d4f-x2p9z by this run's kill-one"},
		"fail-never-recovered":              {summary: "2 of 3 available 1m30s after the faults ended"},
		"fail-flapping-after-the-fault":     {summary: "2 of 3 available 1m30s after the faults ended"},
		"fail-breach-then-recovered-late":   {summary: "1 of 3 available for 14.2s", detail: "it was back after 1m37s"},
		"fail-runner-killed-mid-outage":     {summary: "1 of 3 available for 6s (12:03:02.000 to 12:03:08.000), floor is 2"},
		"fail-despite-a-gap":                {summary: "1 of 3 available for 14.2s", detail: "for 14.2s at the least, 24.2s at the most"},
		"fail-before-the-first-fault":       {summary: "1 of 3 available for 900ms", detail: "this was before the first fault"},
		"fail-scaled-to-nothing":            {summary: "0 of 0 available for 10.8s", detail: "after this run's idle on its Deployment"},
		"fail-real-readiness":               {summary: "1 of 3 available for 4.9s", detail: "whose containers went on running"},
		"inconclusive-relist":               {summary: "cannot tell: pods not seen for 6.5s (12:03:05.000 to 12:03:11.500); the floor may have been broken for up to 6.5s"},
		"inconclusive-late-outage":          {10 * time.Second, "cannot tell: pods seen late for 20.3s", "1 of 3 available for 10ms"},
		"inconclusive-observer-failed":      {summary: "cannot tell: pods not seen for 14s", detail: "the observer failed: listing pods: Unauthorized"},
		"inconclusive-never-started":        {summary: "cannot tell: the observer failed: observing shop/web: no such Deployment"},
		"inconclusive-no-events":            {summary: "cannot tell: nothing was seen of shop/web"},
		"inconclusive-not-recovered-yet":    {summary: "cannot tell: never below 2 of 3 (lowest 2); 2 of 3 available 16s after the faults ended, 1m30s allowed"},
		"inconclusive-faults-not-over":      {summary: "cannot tell: never below 2 of 3 (lowest 2); the faults are not over"},
		"inconclusive-blind-at-the-end":     {summary: "cannot tell: pods not seen for 15s", detail: "the API server did not answer"},
		"inconclusive-observer-ended-early": {summary: "cannot tell: pods not seen for 24s", detail: "the observer ended before the faults did"},
	}
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) != len(tests) {
		t.Errorf("%d recordings, %d are tested (%v)", len(files), len(tests), err)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			finding := judge(t, name, test.allowed)
			if want, _, _ := strings.Cut(name, "-"); finding.Verdict.String() != want {
				t.Errorf("%v, want %s", finding.Verdict, want)
			}
			if !strings.HasPrefix(finding.Summary, test.summary) {
				t.Errorf("summary %q\n   want %q", finding.Summary, test.summary)
			}
			if lines := strings.Join(slices.Concat(finding.Details, finding.Hints), "\n"); !strings.Contains(lines, test.detail) {
				t.Errorf("no %q in\n%s", test.detail, lines)
			}
		})
	}
}

func TestOpenAndBreached(t *testing.T) {
	settling := time.Date(2026, 3, 2, 12, 3, 4, 0, time.UTC)
	tests := []struct {
		recording      string
		open, breached bool
		until          time.Time
	}{
		{"pass-kill-within-floor", false, false, time.Time{}},
		{"inconclusive-faults-not-over", true, false, time.Time{}},
		{"inconclusive-not-recovered-yet", true, false, settling.Add(90 * time.Second)},
		{"fail-runner-killed-mid-outage", true, true, time.Time{}},
		{"fail-recovered-late", false, false, time.Time{}},
		{"fail-eviction-while-not-ready", false, true, time.Time{}},
		{"inconclusive-relist", false, false, time.Time{}},
	}
	for _, test := range tests {
		finding := judge(t, test.recording, 0)
		if finding.Open != test.open || finding.Breached != test.breached || !finding.OpenUntil.Equal(test.until) {
			t.Errorf("%s: open %v until %v, breached %v", test.recording, finding.Open, finding.OpenUntil, finding.Breached)
		}
	}
}

// A gap is announced when it is noticed. Until it is over, the last count must
// not pass for the present one.
func TestBlindNow(t *testing.T) {
	start := time.Date(2026, 3, 2, 12, 3, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	m := &memory{t: t}
	m.Record(eventCount, countEvent{At: at(0), Available: 3, Desired: 3, Floor: 2})
	m.run("", journal.RunBaseline, journal.Baseline{Healthy: true})
	m.run("", journal.RunSettling, nil)
	m.Record(eventGap, gapEvent{From: at(3), Watch: watchConnection, Why: "the API server did not answer", Lost: true})
	for i := range m.events {
		m.events[i].Time = at(i + 1)
	}
	m.events[len(m.events)-1].Time = at(9)
	check := New(checkName, Spec{Workload: shopWeb})
	if finding := check.Judge(m.record()); finding.Verdict != verify.Inconclusive || !finding.Open {
		t.Errorf("while blind: %v, open %v: %s", finding.Verdict, finding.Open, finding.Summary)
	}
	m.Record(eventGap, gapEvent{From: at(3), To: at(11), Watch: watchConnection, Why: "the API server did not answer"})
	m.events[len(m.events)-1].Time = at(12)
	if finding := check.Judge(m.record()); finding.Verdict != verify.Pass || finding.Open {
		t.Errorf("afterwards: %v, open %v: %s", finding.Verdict, finding.Open, finding.Summary)
	}
}

func TestBaseline(t *testing.T) {
	tests := []struct {
		name   string
		events func(*memory)
		want   verify.Verdict
	}{
		{"nothing", func(*memory) {}, verify.Inconclusive},
		{"whole", func(m *memory) { m.Record(eventCount, countEvent{At: time.Now(), Available: 3, Desired: 3, Floor: 2}) }, verify.Pass},
		{"above the floor is not enough", func(m *memory) {
			m.Record(eventCount, countEvent{At: time.Now(), Available: 2, Desired: 3, Floor: 2})
		}, verify.Fail},
		{"failed", func(m *memory) {
			m.Record(eventCount, countEvent{At: time.Now(), Available: 3, Desired: 3, Floor: 2})
			m.Record(journal.ObserverFailed, journal.Reason{Reason: "gone"})
		}, verify.Inconclusive},
	}
	for _, test := range tests {
		m := &memory{t: t}
		test.events(m)
		if got := New(checkName, Spec{Workload: shopWeb}).Baseline(m.record()); got.Verdict != test.want {
			t.Errorf("%s: %v: %s", test.name, got.Verdict, got.Summary)
		}
	}
}

func judge(t *testing.T, recording string, allowed time.Duration) verify.Finding {
	t.Helper()
	record, err := journal.Read(filepath.Join("testdata", recording+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	spec := Spec{
		Workload: shopWeb, RecoverWithin: lasting(90 * time.Second), MaxUnavailableFor: lasting(allowed),
	}
	return New(checkName, spec).Judge(record)
}
