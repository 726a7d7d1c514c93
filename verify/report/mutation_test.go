package report

import (
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// TestMutations damages every kind of record in every place. A record that is
// cut short never passes, nothing lost makes a run better, and no damage is
// more than the report can bear.
func TestMutations(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, make := range runs() {
		t.Run(name, func(t *testing.T) {
			record, findings := make(t)
			whole, err := Build(record, findings, nil)
			if err != nil {
				t.Fatal(err)
			}
			events := slices.Collect(record.All())
			for i, event := range events {
				if report, err := Build(journal.NewRecord(events[:i]), findings, nil); err == nil && report.ExitCode == ExitPass {
					t.Errorf("cut before event %d (%s) it passes", event.Seq, event.Kind)
				}
				hollow, shuffled := slices.Clone(events), slices.Clone(events)
				hollow[i].Data = []byte(`{}`)
				random.Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
				for how, mutant := range map[string][]journal.Event{
					"missing": slices.Delete(slices.Clone(events), i, i+1),
					"twice":   slices.Insert(slices.Clone(events), i, event),
					"hollow":  hollow, "shuffled": shuffled,
				} {
					report, err := Build(journal.NewRecord(mutant), findings, nil)
					if err != nil {
						continue
					}
					if (report.Verdict == verify.Pass) != (report.ExitCode == ExitPass) {
						t.Errorf("with event %d %s: verdict %s, exit code %d", event.Seq, how, report.Verdict, report.ExitCode)
					}
					if how != "shuffled" && report.ExitCode == ExitPass && whole.ExitCode != ExitPass {
						t.Errorf("with event %d (%s) %s it passes", event.Seq, event.Kind, how)
					}
					for _, write := range []func(io.Writer, Report) error{JSON, YAML, JUnit} {
						if err := write(io.Discard, report); err != nil {
							t.Error(err)
						}
					}
					if err := Text(io.Discard, report, Options{Width: 40}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}
