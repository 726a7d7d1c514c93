package availability

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

func TestDump(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.jsonl")
	for _, file := range files {
		record, err := journal.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		allow := time.Duration(0)
		if strings.Contains(file, "allowance") || strings.Contains(file, "late-outage") {
			allow = 10 * time.Second
		}
		f := New(checkName, Spec{Workload: shopWeb, RecoverWithin: lasting(90 * time.Second), MaxUnavailableFor: lasting(allow)}).Judge(record)
		t.Logf("%s: %v open=%v breached=%v\n   %s\n     %s\n   hints %s", filepath.Base(file), f.Verdict, f.Open, f.Breached, f.Summary, strings.Join(f.Details, "\n     "), f.Hints)
		if !strings.HasPrefix(filepath.Base(file), f.Verdict.String()) && f.Verdict != verify.Verdict(9) {
			t.Errorf("^^^^ WRONG")
		}
	}
}
