package alerts

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// expected lies beside each recording.
type expected struct {
	Spec    Spec   `json:"spec"`
	Summary string `json:"summary"` // words of it
}

// TestRecordings judges every recording in testdata. A name begins with the
// verdict that the recording must get; beside it lie the check's spec and the
// words that the summary must hold.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	seen := map[verify.Verdict]int{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		t.Run(name, func(t *testing.T) {
			record, err := journal.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			var expected expected
			readJSON(t, strings.TrimSuffix(file, ".jsonl")+".json", &expected)
			finding := New("pager", expected.Spec).Judge(record)
			verdict, _, _ := strings.Cut(name, "-")
			if finding.Verdict.String() != verdict || !strings.Contains(finding.Summary, expected.Summary) {
				t.Errorf("got %s: %s\ndetails %q\nwant %s: %s", finding.Verdict, finding.Summary, finding.Details, verdict, expected.Summary)
			}
			if again := New("pager", expected.Spec).Judge(record); again.Summary != finding.Summary {
				t.Errorf("judged again: %s, before: %s", again.Summary, finding.Summary)
			}
			if finding.Open {
				t.Error("a finished record leaves the finding open")
			}
			seen[finding.Verdict]++
		})
	}
	for _, verdict := range []verify.Verdict{verify.Pass, verify.Fail, verify.Inconclusive} {
		if seen[verdict] < 3 {
			t.Errorf("%d recordings of %s, want at least 3", seen[verdict], verdict)
		}
	}
}

// TestRecordingsLive judges each recording after each of its events, as the
// loop does: a pass must never come before the evidence for it, and nothing
// but a definite fail may come early.
func TestRecordingsLive(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.jsonl")
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
			last := check.Judge(record)
			var events []journal.Event
			for event := range record.All() {
				events = append(events, event)
				finding := check.Judge(journal.NewRecord(events))
				if finding.Verdict == verify.Fail && last.Verdict != verify.Fail {
					t.Errorf("after event %d it was fail (%s), at the end %s", event.Seq, finding.Summary, last.Verdict)
				}
				if finding.Breached && !last.Breached {
					t.Errorf("after event %d it was breached, at the end not", event.Seq)
				}
			}
		})
	}
}

func readJSON(t *testing.T, file string, out any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(out); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
