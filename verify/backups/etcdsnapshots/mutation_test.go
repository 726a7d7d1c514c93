package etcdsnapshots

import (
	"encoding/json"
	"maps"
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
	check := newCheck(1)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		t.Run(name, func(t *testing.T) {
			events := slices.Collect(recording(t, name).All())
			whole := check.Judge(journal.NewRecord(events)).Verdict
			never := func(what string, record *journal.Record) {
				t.Helper()
				if got := check.Judge(record); got.Verdict == verify.Pass && whole != verify.Pass {
					t.Errorf("%s it passes: %s", what, got.Summary)
				} else if got.Verdict == verify.Fail && whole == verify.Pass {
					t.Errorf("%s it fails: %s", what, got.Summary)
				}
				check.Baseline(record)
			}
			for i, event := range events {
				without := slices.Delete(slices.Clone(events), i, i+1)
				if got := check.Judge(journal.NewRecord(without)); i < len(without) && got.Verdict != verify.Inconclusive {
					t.Errorf("with event %d (%s) missing: %v: %s", event.Seq, event.Kind, got.Verdict, got.Summary)
				}
				if event.Kind != journal.ObserverFailed && event.Kind != journal.RunSettling { // what only these tell is gone with them
					never("without "+event.Kind, numbered(without))
				}
				if final := event.Kind == eventLook && i == last(events); final {
					if got := check.Judge(numbered(without)); got.Verdict != verify.Inconclusive {
						t.Errorf("without the last look: %v: %s", got.Verdict, got.Summary)
					}
				}
				hollow := slices.Clone(events)
				hollow[i].Data = []byte(`{}`)
				never("with "+event.Kind+" hollow", journal.NewRecord(hollow))
				never("with an event twice", numbered(slices.Insert(slices.Clone(events), i, event)))
				// The runner dies here, and a recovery closes the record an hour later.
				closed := append(slices.Clone(events[:i]), journal.Event{
					Version: 1, Kind: journal.RunFinished, Time: event.Time.Add(time.Hour), Data: []byte(`{"undone":true}`),
				})
				if got := check.Judge(numbered(closed)); i <= last(events) && got.Verdict != verify.Inconclusive {
					t.Errorf("killed before event %d: %v: %s", event.Seq, got.Verdict, got.Summary)
				}
				shuffled := slices.Clone(events)
				random.Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
				check.Judge(numbered(shuffled))
				check.Baseline(numbered(shuffled))
			}
		})
	}
}

// TestHollowLook takes away every field of the look that counts, one by one,
// and of every snapshot in it. A finding is never better for it, and a snapshot
// never younger.
func TestHollowLook(t *testing.T) {
	for _, name := range []string{"pass-young-enough", "fail-too-old", "fail-too-few", "fail-old-content-in-a-young-file", "fail-old-name-of-a-young-file", "fail-newest-damaged", "pass-age-by-the-file-alone"} {
		events := slices.Collect(recording(t, name).All())
		check := newCheck(1)
		if name == "fail-too-few" {
			check = newCheck(4)
		}
		whole := check.Judge(journal.NewRecord(events)).Verdict
		at := last(events)
		var look map[string]any
		if err := json.Unmarshal(events[at].Data, &look); err != nil {
			t.Fatal(err)
		}
		try := func(what string, object map[string]any, key string) {
			value := object[key]
			delete(object, key)
			data, err := json.Marshal(look)
			if err != nil {
				t.Fatal(err)
			}
			object[key] = value
			damaged := slices.Clone(events)
			damaged[at].Data = data
			if got := check.Judge(journal.NewRecord(damaged)); got.Verdict == verify.Pass && whole != verify.Pass {
				t.Errorf("%s without %s%s passes: %s", name, what, key, got.Summary)
			}
		}
		for _, key := range slices.Collect(maps.Keys(look)) {
			try("", look, key)
		}
		newest, _ := look["newest"].([]any)
		for _, one := range newest {
			seen, _ := one.(map[string]any)
			for _, key := range slices.Collect(maps.Keys(seen)) {
				try("a snapshot's ", seen, key)
			}
		}
	}
}

// last is the index of the last look.
func last(events []journal.Event) int {
	for i, event := range slices.Backward(events) {
		if event.Kind == eventLook {
			return i
		}
	}
	return -1
}

// numbered numbers events anew, so that a mutation doesn't show as a hole.
func numbered(events []journal.Event) *journal.Record {
	events = slices.Clone(events)
	for i := range events {
		events[i].Seq = int64(i) + 1
	}
	return journal.NewRecord(events)
}
