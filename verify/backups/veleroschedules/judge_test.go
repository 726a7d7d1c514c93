package veleroschedules

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/backups/internal/lookstest"
)

const checkName = "backups-keep-coming"

// Each recording is of a run that the judge must tell apart. The names begin
// with the verdict; those with "real" in them were recorded on a cluster with
// Velero 1.18, the others were composed.
func TestRecordings(t *testing.T) {
	tests := map[string]struct {
		summary string
		// tells are parts of the details or hints.
		tells []string
	}{
		"pass-fresh":        {"nightly: newest 10h1m old (nightly-20261123020004, 412 items)", nil},
		"pass-fresh-all":    {"2 Schedules; the oldest is weekly: newest 1d8h old (weekly-20261122040007, 5100 items)", []string{"nightly: newest 10h1m old"}},
		"pass-came-in-time": {"nightly: newest 10h1m old", nil},
		"pass-warnings-and-failures-since": {"hourly: newest 5h1m old (hourly-20261123070003, 412 items)", []string{
			"hourly-20261123070003 is Completed with 2 warnings: velero backup describe hourly-20261123070003",
			"since then 4 attempts failed: 1 FailedValidation, 3 PartiallyFailed; the last is hourly-20261123110003: 3 errors",
			"hourly-20261123120003 is InProgress for 1m28s", "velero backup logs hourly-20261123110003",
		}},
		"pass-paused-as-allowed":                 {"2 Schedules; the oldest is nightly: newest 10h1m old", []string{"old-shop: paused, as is allowed"}},
		"pass-shrunk-a-little":                   {"nightly: newest 10h1m old (nightly-20261123020004, 206 items)", nil},
		"pass-first-backup":                      {"nightly: newest 10h1m old", []string{"there is no backup before nightly-20261123020004 to compare its 412 items with"}},
		"pass-resource-deleted-and-synced-again": {"nightly: newest 10h1m old", nil},
		"pass-without-the-servers-clock":         {"nightly: newest 10h1m old", []string{"ages are told by this machine's clock"}},
		"pass-clocks-apart":                      {"nightly: newest 10h51m old", []string{"the clocks of this machine and of the API server are 50m0s apart"}},
		"pass-expired-one-before":                {"nightly: newest 10h1m old", []string{"nightly: not counted: 1 backup whose time is over"}},
		"pass-orphans":                           {"nightly: newest 10h1m old", []string{"3 backups of a Schedule shop, which is not there"}},
		"pass-api-away-for-a-while":              {"nightly: newest 10h1m old", nil},
		"pass-real":                              {"fr-minute: newest", nil},

		"fail-stale": {"nightly: newest 1d10h old (nightly-20261122020004, 412 items); 26h is the most", []string{"no later one was begun, though the Schedule is \"0 2 * * *\"", "is Velero running?"}},
		"fail-stale-one-of-three": {"nightly: newest 1d10h old (nightly-20261122020004, 412 items); 26h is the most; 2 of 3 Schedules are not as they should be", []string{
			"weekly: newest 1d8h old", "hourly: newest 1m28s old",
		}},
		"fail-stale-by-the-servers-clock":     {"nightly: newest 1d6h old", []string{"20h0m apart; ages are told by the latter"}},
		"fail-stale-after-failures":           {"nightly: newest 2d10h old", []string{"since then 2 attempts failed: 1 Failed, 1 PartiallyFailed; the last is nightly-20261123020004: found a backup", "velero backup logs nightly-20261123020004"}},
		"fail-stale-behind-one-that-hangs":    {"nightly: newest 2d10h old", []string{"nightly-20261122020004 is InProgress for 1d10h", "while nightly-20261122020004 is InProgress, Velero begins no other backup of nightly"}},
		"fail-no-schedules":                   {"no Schedule in namespace velero: nothing is backed up", []string{"velero schedule create"}},
		"fail-no-velero-there":                {"no Schedule in namespace velero", []string{"velero.namespace in the Environment"}},
		"fail-schedule-missing":               {"nightly: there is no such Schedule in namespace velero", []string{"was Schedule nightly deleted?"}},
		"fail-schedule-missing-others-fine":   {"weekyl: there is no such Schedule in namespace velero", []string{"there is a Schedule weekly: was that meant?"}},
		"fail-paused":                         {"nightly: is paused: nothing is backed up by it", []string{"nightly: newest 10h1m old", "velero schedule unpause nightly, or name it in allowPaused"}},
		"fail-all-paused":                     {"every Schedule is paused: nothing is backed up", nil},
		"fail-not-valid":                      {"nightly: is not valid, so that it never runs: invalid schedule: end of range (61)", []string{`mend spec.schedule of Schedule nightly, which is "61 2 * * *"`}},
		"fail-never-ran":                      {"nightly: has never made a backup in the 3d0h since it was created; 26h is the most", []string{"is Velero running?"}},
		"fail-name-too-long":                  {"every-night-a-backup-of-all-that-the-shop-has-in-its-seven-namespaces: its name is longer than 63 letters", []string{"give it a shorter name"}},
		"fail-none-completed":                 {"nightly: no Completed backup: 2 attempts failed: 2 PartiallyFailed; the last is nightly-20261123020004: 1 error", []string{"velero backup logs nightly-20261123020004"}},
		"fail-location-unavailable":           {"nightly: nightly-20261123020004 can not be restored now: storage location default is Unavailable: BackupStorageLocation", []string{"describe backupstoragelocation default"}},
		"fail-location-gone":                  {"nightly: nightly-20261123020004 can not be restored now: there is no storage location default", []string{"get backupstoragelocations"}},
		"fail-location-read-only":             {"nightly: the next backup can not be written: storage location default is ReadOnly", nil},
		"fail-next-location-unavailable":      {"nightly: the next backup can not be written: storage location eu is Unavailable: no such host", nil},
		"fail-collapsed":                      {"nightly: nightly-20261123020004 holds 200 items, nightly-20261122020004 before it held 412; 206 are the least", []string{"velero backup describe --details"}},
		"fail-collapsed-with-its-namespaces":  {"nightly: nightly-20261123020004 holds 31 items, nightly-20261122020004 before it held 412; 206 are the least; its namespaces were shop, db and are shop", nil},
		"fail-holds-nothing":                  {"nightly: nightly-20261123020004 is Completed and holds nothing", []string{"its namespaces and its selectors"}},
		"fail-expired":                        {"nightly: no backup that counts: 1 expired", []string{"is the ttl of Schedule nightly shorter"}},
		"fail-deleted":                        {"nightly: no backup is left: one was begun 10h0m ago", []string{"its backups were deleted"}},
		"fail-being-deleted":                  {"nightly: no backup is left: one was begun 10h1m ago", nil},
		"fail-only-synced":                    {"nightly: has never made a backup in the 30d0h since it was created", []string{"not counted: 2 backups that Velero found in the storage location"}},
		"fail-synced-hides-stale":             {"nightly: newest 2d10h old", []string{"not counted: 1 backup that Velero found"}},
		"fail-stale-beside-one-that-is-fresh": {"nightly: newest 1d10h old (nightly-20261122020004, 412 items); 26h is the most", []string{"hourly: newest 1m28s old"}},
		"fail-synced-within-a-minute":         {"nightly: newest 2d10h old", nil},
		"fail-velero-takes-no-notice":         {"nightly: has never made a backup", []string{"Velero has not taken notice of it yet"}},
		"fail-real": {"fr-a-name-of-a-schedule-that-is-longer-than-any-label-may-ever-be-really: its name is longer than 63 letters: the API server refuses every backup of it; 5 of 7 Schedules are not as they should be", []string{
			`fr-badcron: is not valid, so that it never runs: invalid schedule: end of range (61) above maximum (59): "61"`,
			"fr-empty: no Completed backup: 1 attempt failed: 1 PartiallyFailed; the last is fr-empty-20261125104830: 1 error",
			"fr-nowhere: the next backup can not be written: storage location fr-nowhere is Unavailable",
			"fr-later: has made no backup yet", "fr-minute: newest 4m54s old (fr-minute-20261125104530, 9 items)", "fr-paused: paused, as is allowed",
		}},

		"inconclusive-has-not-run-yet":                {"cannot tell: nightly: has made no backup yet; it was created 3h0m ago", []string{"velero backup create --from-schedule nightly"}},
		"inconclusive-first-is-running":               {"cannot tell: nightly: has made no backup yet", []string{"is InProgress for 3m0s"}},
		"inconclusive-only-synced-so-far":             {"cannot tell: nightly: has made no backup yet", []string{"not counted: 2 backups that Velero found"}},
		"inconclusive-location-never-validated":       {"cannot tell: nightly: storage location default was never validated", nil},
		"inconclusive-location-not-looked-at":         {"cannot tell: nightly: storage location default is Available, but Velero last looked 4h0m ago", []string{"is Velero running?"}},
		"inconclusive-location-never-looked-at-again": {"cannot tell: nightly: storage location default is Available since 60d0h, and its validation is disabled", []string{"validationFrequency"}},
		"inconclusive-location-of-an-unknown-phase":   {"cannot tell: nightly: storage location default has phase Degraded", nil},
		"inconclusive-items-not-told":                 {"cannot tell: nightly: nightly-20261123020004 does not say how many items it holds", nil},
		"inconclusive-items-before-not-told":          {"cannot tell: nightly: nightly-20261122020004, which the newest is compared with, does not say", nil},
		"inconclusive-from-the-future":                {"cannot tell: nightly: nightly-20261123170131 began in the future", []string{"compare the clocks"}},
		"inconclusive-newer-one-undated":              {"cannot tell: nightly: nightly-20261123020004 may be newer: it is Completed, without the times", nil},
		"inconclusive-made-anew-after-failures":       {"cannot tell: nightly: has made no backup yet; it was created 1h0m ago", nil},
		"inconclusive-velero-gone":                    {"cannot tell: the cluster has no Velero", nil},
		"inconclusive-forbidden":                      {"cannot tell: listing backups in namespace velero", nil},
		"inconclusive-observer-failed":                {"cannot tell: the observer failed: it was left behind", nil},
		"inconclusive-looked-too-early":               {"cannot tell: the last look at the Schedules was before the faults had ended", nil},
		"inconclusive-runner-killed":                  {"cannot tell: nobody looked at the Schedules at the end of the run", nil},
		"inconclusive-still-running":                  {"cannot tell: nobody looked at the Schedules at the end of the run", nil},
		"inconclusive-nothing-seen":                   {"cannot tell: nobody looked", nil},
	}
	files, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(files) != len(tests) {
		t.Errorf("%d recordings, %d are tested (%v)", len(files), len(tests), err)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			finding := recorded(name).Judge(lookstest.Recording(t, name))
			if want, _, _ := strings.Cut(name, "-"); finding.Verdict.String() != want {
				t.Errorf("%v, want %s", finding.Verdict, want)
			}
			if !strings.HasPrefix(finding.Summary, test.summary) {
				t.Errorf("summary %q\n   want %q", finding.Summary, test.summary)
			}
			lines := strings.Join(slices.Concat(finding.Details, finding.Hints), "\n")
			for _, told := range test.tells {
				if !strings.Contains(lines, told) {
					t.Errorf("no %q in\n%s", told, lines)
				}
			}
			if strings.Contains(lines, finding.Summary) {
				t.Errorf("the summary is repeated in\n%s", lines)
			}
			if finding.Verdict != verify.Pass && !strings.HasPrefix(finding.Summary, "cannot tell: ") && len(finding.Hints) == 0 {
				t.Error("it fails and does not say what to do")
			}
			if finding.Open || finding.Breached {
				t.Error("it is open or breached: the run would wait, or end, for what it can not change")
			}
		})
	}
}

// recorded is the check that a recording is of.
func recorded(name string) verify.Check {
	spec := Spec{MaxAge: metav1.Duration{Duration: 26 * time.Hour}}
	switch name {
	case "pass-fresh-all":
		spec.MaxAge.Duration = 8 * 24 * time.Hour
	case "pass-paused-as-allowed", "fail-all-paused":
		spec.AllowPaused = []string{"old-shop"}
	case "pass-real":
		spec.MaxAge.Duration = 10 * time.Minute
	case "fail-real":
		spec.MaxAge.Duration, spec.AllowPaused = time.Hour, []string{"fr-paused"}
	case "fail-schedule-missing":
		spec.Schedules = []string{"nightly"}
	case "fail-schedule-missing-others-fine":
		spec.Schedules = []string{"nightly", "weekyl"}
	}
	return New(checkName, spec)
}

func TestMutations(t *testing.T) { lookstest.Mutate(t, eventLook, recorded) }

func TestHollowLook(t *testing.T) { lookstest.Hollow(t, eventLook, recorded) }

// The limit itself still passes; a moment more does not.
func TestAgeAtTheLimit(t *testing.T) {
	record := lookstest.Recording(t, "pass-fresh")
	age := time.Date(2026, 11, 23, 12, 1, 31, 0, time.UTC).Sub(time.Date(2026, 11, 23, 2, 0, 4, 0, time.UTC))
	for limit, want := range map[time.Duration]verify.Verdict{age: verify.Pass, age - 1: verify.Fail, 0: verify.Inconclusive} {
		if got := New(checkName, Spec{MaxAge: metav1.Duration{Duration: limit}}).Judge(record); got.Verdict != want {
			t.Errorf("limit %s: %v: %s", limit, got.Verdict, got.Summary)
		}
	}
}

func TestLeast(t *testing.T) {
	for _, test := range []struct {
		before int
		shrink string
		want   int
	}{
		{412, "", 206}, {413, "", 207}, {1, "", 1}, {0, "", 1}, {100, "0%", 100}, {100, "1%", 99}, {101, "1%", 100},
		{100, "100%", 1}, {100, "30", 70}, {100, "0", 100}, {100, "200", 1}, {100, "nonsense", 100},
	} {
		var shrink *intstr.IntOrString
		if test.shrink != "" {
			parsed := intstr.Parse(test.shrink)
			shrink = &parsed
		}
		if got := least(test.before, shrink); got != test.want {
			t.Errorf("of %d with maxShrink %s: %d, want %d", test.before, cmp.Or(test.shrink, "unset"), got, test.want)
		}
	}
}

// How much may go is for the scenario to say.
func TestMaxShrink(t *testing.T) {
	for shrink, want := range map[string]verify.Verdict{"52%": verify.Pass, "51%": verify.Fail, "212": verify.Pass, "211": verify.Fail, "100%": verify.Pass} {
		parsed := intstr.Parse(shrink)
		check := New(checkName, Spec{MaxAge: metav1.Duration{Duration: 26 * time.Hour}, MaxShrink: &parsed})
		if got := check.Judge(lookstest.Recording(t, "fail-collapsed")); got.Verdict != want {
			t.Errorf("%s: %v: %s", shrink, got.Verdict, got.Summary)
		}
	}
}

// Whatever Velero says, the run begins; it is refused only when nothing can be told.
func TestBaseline(t *testing.T) {
	for _, name := range []string{"pass-fresh", "fail-stale", "fail-no-schedules", "fail-location-gone", "fail-paused", "inconclusive-has-not-run-yet"} {
		got := recorded(name).Baseline(lookstest.Recording(t, name))
		if judged := recorded(name).Judge(lookstest.Recording(t, name)); got.Verdict != verify.Pass || got.Summary == "" || strings.Contains(name, "fail") && len(got.Details) > len(judged.Details) {
			t.Errorf("%s: %v: %s", name, got.Verdict, got.Summary)
		}
	}
	unreadable := slices.Collect(lookstest.Recording(t, "fail-stale").All())
	unreadable[1].Data = []byte(`{"at":"2026-11-23T12:00:01Z","namespace":"velero","problem":"forbidden"}`)
	for name, record := range map[string]*journal.Record{
		"nothing seen": lookstest.Recording(t, "inconclusive-nothing-seen"),
		"unreadable":   journal.NewRecord(unreadable),
		"failed":       lookstest.Recording(t, "inconclusive-observer-failed"),
	} {
		if got := recorded("").Baseline(record); got.Verdict != verify.Inconclusive {
			t.Errorf("%s: %v: %s", name, got.Verdict, got.Summary)
		}
	}
}

// FuzzLook gives the judge looks of any shape: it must not fall over them, and
// what it can not make sense of does not pass.
func FuzzLook(f *testing.F) {
	for _, name := range []string{"pass-fresh", "pass-warnings-and-failures-since", "fail-collapsed", "fail-location-gone", "inconclusive-forbidden"} {
		events := slices.Collect(lookstest.Recording(f, name).All())
		f.Add(string(events[lookstest.Last(events, eventLook)].Data))
	}
	f.Add(`{"found":0}`)
	events := slices.Collect(lookstest.Recording(f, "pass-fresh").All())
	at := lookstest.Last(events, eventLook)
	f.Fuzz(func(t *testing.T, data string) {
		changed := slices.Clone(events)
		changed[at].Data = []byte(data)
		record := journal.NewRecord(changed)
		got := recorded("").Judge(record)
		if recorded("").Judge(record).Summary != got.Summary {
			t.Error("it finds one thing and then another")
		}
		var look lookEvent
		if changed[at].Decode(&look) != nil && got.Verdict != verify.Inconclusive {
			t.Errorf("%v: %s", got.Verdict, got.Summary)
		}
		if got.Verdict == verify.Pass && len(look.Schedules) == 0 {
			t.Error("nothing passes")
		}
	})
}
