package availability

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// TestMutations damages every recording in every place. Damage must never make
// a finding better, nor may the judge fall over it.
func TestMutations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		t.Run(name, func(t *testing.T) {
			record, err := journal.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			allowed := time.Duration(0)
			if strings.Contains(name, "allowance") || strings.Contains(name, "late-outage") {
				allowed = 10 * time.Second
			}
			check := New(checkName, Spec{Workload: shopWeb, RecoverWithin: lasting(90 * time.Second), MaxUnavailableFor: lasting(allowed)})
			events := slices.Collect(record.All())
			whole := check.Judge(record).Verdict
			for i, event := range events {
				without := slices.Delete(slices.Clone(events), i, i+1)
				if got := check.Judge(journal.NewRecord(without)); got.Verdict == verify.Pass && i < len(without) {
					t.Errorf("with event %d (%s) missing it passes: %s", event.Seq, event.Kind, got.Summary)
				}
				ends := event.Kind == eventEnded || event.Kind == journal.ObserverFailed || event.Kind == journal.RunSettling
				if got := check.Judge(numbered(without)); ends && got.Verdict == verify.Pass {
					t.Errorf("without %s it passes: %s", event.Kind, got.Summary)
				}
				// The runner dies here, and a recovery closes the record an hour later.
				closed := append(slices.Clone(events[:i]), journal.Event{
					Version: 1, Kind: journal.RunFinished, Time: event.Time.Add(time.Hour), Data: []byte(`{"undone":true}`),
				})
				got := check.Judge(numbered(closed))
				if over := slices.ContainsFunc(events[:i], func(e journal.Event) bool { return e.Kind == eventEnded }); !over && got.Verdict == verify.Pass {
					t.Errorf("killed before event %d it passes: %s", event.Seq, got.Summary)
				}
				if got.Verdict == verify.Fail && whole != verify.Fail {
					t.Errorf("killed before event %d it fails: %s", event.Seq, got.Summary)
				}
				twice := slices.Insert(slices.Clone(events), i, event)
				if got := check.Judge(numbered(twice)); got.Verdict == verify.Pass && whole != verify.Pass {
					t.Errorf("with event %d twice it passes: %s", event.Seq, got.Summary)
				}
				shifted := slices.Clone(events)
				for j := i; j < len(shifted); j++ {
					shifted[j].Time = shifted[j].Time.Add(-time.Hour)
				}
				check.Judge(journal.NewRecord(shifted))
				check.Baseline(journal.NewRecord(shifted))
				shuffled := slices.Clone(events)
				random.Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
				check.Judge(numbered(shuffled))
				check.Baseline(numbered(shuffled))
				hollow := slices.Clone(events)
				hollow[i].Data = []byte(`{}`)
				check.Judge(journal.NewRecord(hollow))
			}
		})
	}
}

// numbered numbers events anew, so that a mutation doesn't show as a hole.
func numbered(events []journal.Event) *journal.Record {
	events = slices.Clone(events)
	for i := range events {
		events[i].Seq = int64(i) + 1
	}
	return journal.NewRecord(events)
}

// A record of a long and bad day is judged in a moment: the loop judges again
// and again while it grows.
func TestLongRecord(t *testing.T) {
	start := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	m := &memory{t: t}
	m.run("", journal.RunBaseline, journal.Baseline{Healthy: true})
	m.events[0].Time = start
	m.run("kill", journal.StepInjecting, nil)
	m.events[1].Time = start
	for i := range 20_000 {
		at := start.Add(time.Duration(i) * time.Second)
		pod := podChange{Name: "web-a", UID: "a", Node: "n1"}
		m.Record(eventCount, countEvent{At: at, Available: 1, Desired: 3, Floor: 2, Pods: []podChange{pod}})
		m.Record(eventGap, gapEvent{From: at.Add(200 * time.Millisecond), To: at.Add(300 * time.Millisecond), Watch: watchPods, Lost: i%2 == 0})
		pod.Available = true
		m.Record(eventCount, countEvent{At: at.Add(500 * time.Millisecond), Available: 2, Desired: 3, Floor: 2, Pods: []podChange{pod}})
		for j := len(m.events) - 3; j < len(m.events); j++ {
			m.events[j].Time = at.Add(500 * time.Millisecond)
		}
	}
	began := time.Now()
	finding := New(checkName, Spec{Workload: shopWeb}).Judge(m.record())
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("judging %d events took %s", len(m.events), took)
	}
	if finding.Verdict != verify.Fail || len(finding.Details) > 60 {
		t.Errorf("%v with %d details: %s", finding.Verdict, len(finding.Details), finding.Summary)
	}
}
