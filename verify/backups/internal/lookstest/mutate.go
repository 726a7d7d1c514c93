package lookstest

import (
	"encoding/json"
	"fmt"
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

// Mutate damages every recording in every place. Damage must never make a
// finding better, nor may the judge fall over it. kind is that of a look.
func Mutate(t *testing.T, kind string, of func(recording string) verify.Check) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	each(t, func(t *testing.T, name string, events []journal.Event) {
		check := of(name)
		whole := check.Judge(journal.NewRecord(events)).Verdict
		final := Last(events, kind)
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
				never("without "+event.Kind, Numbered(without))
			}
			if i == final {
				if got := check.Judge(Numbered(without)); got.Verdict != verify.Inconclusive {
					t.Errorf("without the last look: %v: %s", got.Verdict, got.Summary)
				}
			}
			hollow := slices.Clone(events)
			hollow[i].Data = []byte(`{}`)
			never("with "+event.Kind+" hollow", journal.NewRecord(hollow))
			never("with an event twice", Numbered(slices.Insert(slices.Clone(events), i, event)))
			// The runner dies here, and a recovery closes the record an hour later.
			closed := append(slices.Clone(events[:i]), journal.Event{
				Version: 1, Kind: journal.RunFinished, Time: event.Time.Add(time.Hour), Data: []byte(`{"undone":true}`),
			})
			if got := check.Judge(Numbered(closed)); i <= final && got.Verdict != verify.Inconclusive {
				t.Errorf("killed before event %d: %v: %s", event.Seq, got.Verdict, got.Summary)
			}
			shuffled := slices.Clone(events)
			random.Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
			check.Judge(Numbered(shuffled))
			check.Baseline(Numbered(shuffled))
		}
	})
}

// Hollow takes away every field and every element of the look that counts, one by
// one, at every depth. A finding is never better for it.
func Hollow(t *testing.T, kind string, of func(recording string) verify.Check) {
	t.Helper()
	each(t, func(t *testing.T, name string, events []journal.Event) {
		check, at := of(name), Last(events, kind)
		if at < 0 {
			return
		}
		whole := check.Judge(journal.NewRecord(events)).Verdict
		var look any
		if err := json.Unmarshal(events[at].Data, &look); err != nil {
			t.Fatal(err)
		}
		without(look, "", nil, func(path string) {
			data, err := json.Marshal(look)
			if err != nil {
				t.Fatal(err)
			}
			damaged := slices.Clone(events)
			damaged[at].Data = data
			if got := check.Judge(journal.NewRecord(damaged)); got.Verdict == verify.Pass && whole != verify.Pass {
				t.Errorf("without %s it passes: %s", path, got.Summary)
			}
		})
	})
}

// without calls try with each field and element inside value missing in turn; set
// puts another list in its place, where value is one.
func without(value any, path string, set func([]any), try func(path string)) {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			kept := value[key]
			without(kept, path+"."+key, func(list []any) { value[key] = list }, try)
			delete(value, key)
			try(path + "." + key)
			value[key] = kept
		}
	case []any:
		for i := range value {
			without(value[i], fmt.Sprintf("%s[%d]", path, i), nil, try)
			set(slices.Delete(slices.Clone(value), i, i+1))
			try(fmt.Sprintf("%s[%d]", path, i))
			set(value)
		}
	}
}

func each(t *testing.T, do func(t *testing.T, name string, events []journal.Event)) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		t.Run(name, func(t *testing.T) { do(t, name, slices.Collect(Recording(t, name).All())) })
	}
}
