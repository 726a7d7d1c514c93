package etcdsnapshots

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/backups/internal/lookstest"
)

const checkName = "backups-keep-coming"

// Each recording is of a run that the judge must tell apart. The names begin
// with the verdict; those with "real" in them were recorded on files, the others
// were composed.
func TestRecordings(t *testing.T) {
	tests := map[string]struct {
		minKept int
		summary string
		// detail is part of the details or hints.
		detail string
	}{
		"pass-young-enough":                {14, "newest 3h13m old (etcd-prod-20261123T084800Z.db, by renewTime of Lease kube-node-lease/n1 at revision 4711), 14 kept", "its sha256 is that of its sidecar"},
		"pass-came-in-time":                {0, "newest 1m2s old (etcd-prod-20261123T120030Z.db", ""},
		"pass-directory-away-for-a-while":  {0, "newest 3h13m old", ""},
		"pass-others-beside-it":            {0, "newest 3h13m old", "not counted: half.db"},
		"pass-age-by-the-file-alone":       {0, "newest 3h13m old (nightly.db, by when the file was written), 1 kept", "how old its content is can not be told"},
		"pass-real":                        {2, "newest 1h30m old (etcd-test-", "it ends with the sha256 of its own"},
		"fail-too-old":                     {0, "newest 1d3h old (etcd-prod-20261122T084800Z.db, by renewTime of Lease kube-node-lease/n1 at revision 4711), 1 kept; 26h is the most", "look at the job"},
		"fail-none":                        {0, "no etcd snapshot in /var/backups/etcd", "look at the job"},
		"fail-deleted-meanwhile":           {0, "no etcd snapshot in /var/backups/etcd", ""},
		"fail-too-few":                     {4, "newest 3h13m old (etcd-prod-20261123T084800Z.db, by renewTime of Lease kube-node-lease/n1 at revision 4711), 3 kept; 4 are the least", "what removes old snapshots"},
		"fail-old-content-in-a-young-file": {0, "newest 14d3h old (restored-from-tape.db", "the file is young and what it holds is not"},
		"fail-old-name-of-a-young-file":    {0, "newest 14d3h old (etcd-prod-20261109T084800Z.db, by its name), 1 kept", "the file is young and what it holds is not"},
		"fail-only-damaged":                {0, "no etcd snapshot in", "not counted: half.db: "},
		"fail-newest-damaged":              {0, "newest 1d3h old", "damaged: it does not end with"},
		"fail-real-copied":                 {0, "newest 2d2h old (copied.db, by renewTime of Lease kube-node-lease/", "the file is young and what it holds is not"},
		"inconclusive-runner-killed":       {0, "cannot tell: nobody looked at the snapshots at the end of the run", ""},
		"inconclusive-still-running":       {0, "cannot tell: nobody looked at the snapshots at the end of the run", ""},
		"inconclusive-directory-gone":      {0, "cannot tell: listing snapshots: open /var/backups/etcd: no such file", ""},
		"inconclusive-observer-failed":     {0, "cannot tell: the observer failed: it was left behind", ""},
		"inconclusive-looked-too-early":    {0, "cannot tell: the last look at the snapshots was before the faults had ended", ""},
		"inconclusive-nothing-seen":        {0, "cannot tell: nobody looked", ""},
		"inconclusive-from-the-future":     {0, "cannot tell: the record holds a snapshot from the future", ""},
	}
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) != len(tests) {
		t.Errorf("%d recordings, %d are tested (%v)", len(files), len(tests), err)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			finding := newCheck(test.minKept).Judge(lookstest.Recording(t, name))
			if want, _, _ := strings.Cut(name, "-"); finding.Verdict.String() != want {
				t.Errorf("%v, want %s", finding.Verdict, want)
			}
			if !strings.HasPrefix(finding.Summary, test.summary) {
				t.Errorf("summary %q\n   want %q", finding.Summary, test.summary)
			}
			if lines := strings.Join(slices.Concat(finding.Details, finding.Hints), "\n"); !strings.Contains(lines, test.detail) {
				t.Errorf("no %q in\n%s", test.detail, lines)
			}
			if finding.Open || finding.Breached {
				t.Error("it is open or breached: the run would wait, or end, for what it can not change")
			}
		})
	}
}

// The limit itself still passes; a moment more does not.
func TestAgeAtTheLimit(t *testing.T) {
	record := lookstest.Recording(t, "pass-young-enough")
	look := time.Date(2026, 11, 23, 12, 1, 31, 0, time.UTC)
	age := look.Sub(time.Date(2026, 11, 23, 8, 47, 58, 5e8, time.UTC))
	for limit, want := range map[time.Duration]verify.Verdict{age: verify.Pass, age - 1: verify.Fail, 0: verify.Inconclusive} {
		check := New(checkName, Spec{MaxAge: metav1.Duration{Duration: limit}})
		if got := check.Judge(record); got.Verdict != want {
			t.Errorf("limit %s: %v: %s", limit, got.Verdict, got.Summary)
		}
	}
	for kept, want := range map[int]verify.Verdict{14: verify.Pass, 15: verify.Fail} {
		if got := newCheck(kept).Judge(record); got.Verdict != want {
			t.Errorf("%d kept: %v: %s", kept, got.Verdict, got.Summary)
		}
	}
	if got := New(checkName, Spec{}).Judge(record); got.Verdict != verify.Inconclusive {
		t.Errorf("a check of nothing: %v", got.Verdict)
	}
}

// What is written after the last look was no last look.
func TestLookAfterTheLast(t *testing.T) {
	events := slices.Collect(lookstest.Recording(t, "pass-young-enough").All())
	if got := newCheck(1).Judge(lookstest.Numbered(append(events, events[1]))); got.Verdict != verify.Inconclusive {
		t.Errorf("%v: %s", got.Verdict, got.Summary)
	}
}

// Whatever is there, the run begins; it is refused only when nothing can be told.
func TestBaseline(t *testing.T) {
	for _, name := range []string{"pass-young-enough", "fail-too-old", "fail-none", "fail-only-damaged"} {
		if got := newCheck(1).Baseline(lookstest.Recording(t, name)); got.Verdict != verify.Pass {
			t.Errorf("%s: %v: %s", name, got.Verdict, got.Summary)
		}
	}
	unreadable := slices.Collect(lookstest.Recording(t, "fail-none").All())
	unreadable[1].Data = []byte(`{"at":"2026-11-23T12:00:01Z","directory":"/var","problem":"permission denied"}`)
	failed := slices.Collect(lookstest.Recording(t, "inconclusive-observer-failed").All())
	for name, record := range map[string]*journal.Record{
		"nothing seen": lookstest.Recording(t, "inconclusive-nothing-seen"),
		"unreadable":   journal.NewRecord(unreadable),
		"failed":       journal.NewRecord(failed),
	} {
		if got := newCheck(1).Baseline(record); got.Verdict != verify.Inconclusive {
			t.Errorf("%s: %v: %s", name, got.Verdict, got.Summary)
		}
	}
}

func newCheck(minKept int) verify.Check {
	return New(checkName, Spec{MaxAge: metav1.Duration{Duration: 26 * time.Hour}, MinKept: minKept})
}
