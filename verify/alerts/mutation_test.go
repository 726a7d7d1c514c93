package alerts

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
			var expected expected
			readJSON(t, strings.TrimSuffix(file, ".jsonl")+".json", &expected)
			check := New("pager", expected.Spec)
			events := slices.Collect(record.All())
			whole := check.Judge(record).Verdict
			for i, event := range events {
				better := func(how string, record *journal.Record) {
					if got := check.Judge(record); got.Verdict == verify.Pass && whole != verify.Pass {
						t.Errorf("with event %d (%s) %s it passes: %s", event.Seq, event.Kind, how, got.Summary)
					}
					check.Baseline(record)
				}
				without := slices.Delete(slices.Clone(events), i, i+1)
				better("missing", numbered(without))
				better("twice", numbered(slices.Insert(slices.Clone(events), i, event)))
				if got := check.Judge(journal.NewRecord(without)); got.Verdict == verify.Pass && i < len(without) {
					t.Errorf("with a hole at event %d (%s) it passes: %s", event.Seq, event.Kind, got.Summary)
				}
				// The runner dies here, and a recovery closes the record an hour later.
				better("the last", numbered(append(slices.Clone(events[:i+1]), journal.Event{
					Version: 1, Kind: journal.RunFinished, Time: event.Time.Add(time.Hour), Data: []byte(`{"undone":true}`),
				})))
				hollow := slices.Clone(events)
				hollow[i].Data = []byte(`{}`)
				check.Judge(journal.NewRecord(hollow))
				shuffled, shifted := slices.Clone(events), slices.Clone(events)
				random.Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
				for j := i; j < len(shifted); j++ {
					shifted[j].Time = shifted[j].Time.Add(-time.Hour)
				}
				for _, record := range []*journal.Record{numbered(shuffled), numbered(shifted)} {
					check.Judge(record)
					check.Baseline(record)
				}
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
