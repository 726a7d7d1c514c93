package etcdsnapshots

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/internal/snapshots"
	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/backups/internal/lookstest"
)

// observe looks at a directory twice, with nothing between, and judges.
func observe(t *testing.T, directory string, spec Spec) (verify.Finding, []lookEvent) {
	t.Helper()
	m := lookstest.NewMemory(t, checkName)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	check := New(checkName, spec)
	if err := check.Observe(ctx, env(m, directory, time.Minute)); err != nil {
		t.Fatal(err)
	}
	return check.Judge(m.Journal()), lookstest.Looks[lookEvent](m)
}

func within(age time.Duration) Spec {
	return Spec{MaxAge: metav1.Duration{Duration: age}}
}

func TestObserveRealFiles(t *testing.T) {
	now := time.Now()
	young, old, bare := snapshotOf(t, now.Add(-50*time.Minute-30*time.Second)), snapshotOf(t, now.Add(-50*time.Hour-30*time.Minute)), snapshotOf(t, time.Time{})
	flipped := bytes.Clone(young)
	flipped[len(flipped)/2] ^= 1
	day := within(26 * time.Hour)
	tests := map[string]struct {
		fill            func(t *testing.T, directory string)
		spec            Spec
		want            verify.Verdict
		summary, detail string
	}{
		"young": {func(t *testing.T, d string) { store(t, d, snapshots.Name("a", now.Add(-40*time.Minute)), young, now) }, day,
			verify.Pass, "newest 5", sumOwn},
		"an old one copied, under a young name": {func(t *testing.T, d string) { store(t, d, snapshots.Name("a", now), old, now) }, day,
			verify.Fail, "newest 2d2h old", sumOwn},
		"a young content under an old name": {func(t *testing.T, d string) { store(t, d, snapshots.Name("a", now.Add(-51*time.Hour)), young, now) }, day,
			verify.Fail, "newest 2d3h old (etcd-a-", ""},
		"no object in it, by its name": {func(t *testing.T, d string) { store(t, d, snapshots.Name("a", now.Add(-2*time.Hour)), bare, now) }, day,
			verify.Pass, "newest 2h0m old", "can not be told"},
		"no object in it, no name": {func(t *testing.T, d string) { store(t, d, "a.snap", bare, now.Add(-27*time.Hour)) }, day,
			verify.Fail, "newest 1d3h old (a.snap, by when the file was written), 1 kept; 26h is the most", "can not be told"},
		"from the future": {func(t *testing.T, d string) { store(t, d, "a.db", bare, now.Add(time.Hour)) }, day,
			verify.Fail, "no etcd snapshot in", "from the future"},
		"a byte flipped in the newest": {func(t *testing.T, d string) {
			store(t, d, "new.db", flipped, now)
			store(t, d, "old.db", old, now)
		}, day, verify.Fail, "newest 2d2h old (old.db", "not counted: new.db: damaged: it does not end with"},
		"not what its sidecar says": {func(t *testing.T, d string) {
			store(t, d, "new.db", young, now)
			if err := snapshots.WriteSidecar(filepath.Join(d, "new.db"), strings.Repeat("0", 64)); err != nil {
				t.Fatal(err)
			}
		}, day, verify.Fail, "no etcd snapshot in", "its sha256 is not that of new.db.sha256"},
		"with its sidecar": {func(t *testing.T, d string) {
			store(t, d, "new.db", young, now)
			sums, err := snapshots.Sum(t.Context(), filepath.Join(d, "new.db"))
			if err != nil {
				t.Fatal(err)
			}
			if err := snapshots.WriteSidecar(filepath.Join(d, "new.db"), sums.Whole); err != nil {
				t.Fatal(err)
			}
		}, day, verify.Pass, "newest 5", sumFits},
		"no sidecar and no end": {func(t *testing.T, d string) { store(t, d, "new.db", young[:len(young)-snapshots.TrailerSize], now) }, day,
			verify.Pass, "newest 5", sumNone},
		"an unreadable sidecar": {func(t *testing.T, d string) {
			store(t, d, "new.db", young, now)
			store(t, d, "new.db.sha256", []byte("nonsense"), now)
		}, day, verify.Pass, "newest 5", "not held against its sidecar"},
		"others": {func(t *testing.T, d string) {
			store(t, d, "a.db", young, now)
			store(t, d, "empty.db", nil, now)
			store(t, d, "text.db", []byte("text"), now)
			store(t, d, "half.db", young[:len(young)/2], now)
			store(t, d, "coming.db.part", young, now)
		}, Spec{MaxAge: day.MaxAge, MinKept: 2}, verify.Fail, "newest 5", "not counted: "},
		"nothing": {func(*testing.T, string) {}, day, verify.Fail, "no etcd snapshot in", "look at the job"},
		"gone":    {func(_ *testing.T, d string) { _ = os.Remove(d) }, day, verify.Inconclusive, "cannot tell: listing snapshots", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			test.fill(t, directory)
			finding, looks := observe(t, directory, test.spec)
			if finding.Verdict != test.want || !strings.HasPrefix(finding.Summary, test.summary) {
				t.Errorf("%v: %s; want %v: %s", finding.Verdict, finding.Summary, test.want, test.summary)
			}
			if lines := strings.Join(append(finding.Details, finding.Hints...), "\n"); !strings.Contains(lines, test.detail) {
				t.Errorf("no %q in\n%s", test.detail, lines)
			}
			if len(looks) != 2 || looks[0].Final || !looks[1].Final {
				t.Errorf("%+v", looks)
			}
		})
	}
}

// The directory is looked at every 30 seconds, and only what changes is written.
func TestObserveChanges(t *testing.T) {
	bare, other := snapshotOf(t, time.Time{}), snapshotOf(t, time.Time{})
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		m := lookstest.NewMemory(t, checkName)
		ctx, cancel := context.WithCancel(t.Context())
		started, done := make(chan struct{}), make(chan error, 1)
		e := env(m, directory, time.Minute)
		e.Started = func() { close(started) }
		check := New(checkName, Spec{MaxAge: metav1.Duration{Duration: time.Hour}})
		store(t, directory, "a.db", bare, time.Now())
		go func() { done <- check.Observe(ctx, e) }()
		<-started
		time.Sleep(10*time.Minute + time.Second)
		if looks := lookstest.Looks[lookEvent](m); len(looks) != 1 || looks[0].Counted != 1 || looks[0].Final {
			t.Errorf("nothing has changed: %+v", looks)
		}
		store(t, directory, "b.db", other, time.Now())
		time.Sleep(lookEvery)
		if looks := lookstest.Looks[lookEvent](m); len(looks) != 2 || looks[1].Counted != 2 || looks[1].Newest[0].Name != "b.db" {
			t.Errorf("one has come: %+v", looks)
		}
		if err := os.Remove(filepath.Join(directory, "b.db")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(40 * time.Minute)
		if got := check.Judge(m.Journal()); got.Verdict != verify.Inconclusive || got.Open {
			t.Errorf("while it goes on: %v: %s", got.Verdict, got.Summary)
		}
		time.Sleep(10*time.Minute - 20*time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if looks := lookstest.Looks[lookEvent](m); len(looks) != 4 || !looks[3].Final || looks[3].Newest[0].Sum != sumOwn {
			t.Errorf("%+v", looks)
		}
		if got := check.Judge(m.Journal()); got.Verdict != verify.Fail || !strings.HasPrefix(got.Summary, "newest 1h0m old (a.db") {
			t.Errorf("%v: %s", got.Verdict, got.Summary)
		}
	})
}

// A copy is no second snapshot: it is lost with the first.
func TestCopiesDoNotCount(t *testing.T) {
	directory := t.TempDir()
	bare := snapshotOf(t, time.Now())
	store(t, directory, "a.db", bare, time.Now())
	store(t, directory, "b.db", bare, time.Now().Add(-time.Hour))
	store(t, directory, "c.db", snapshotOf(t, time.Now()), time.Now())
	look := newEyes(directory).look()
	if look.Counted != 2 || look.NotCounted != 1 || look.Others[0].Why != "a copy of a.db" {
		t.Errorf("%+v", look)
	}
}

// Without time for hashing the age still counts, and the finding says so.
func TestNoTimeToHash(t *testing.T) {
	directory := t.TempDir()
	store(t, directory, "a.db", snapshotOf(t, time.Now()), time.Now())
	m := lookstest.NewMemory(t, checkName)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	check := newCheck(1)
	if err := check.Observe(ctx, env(m, directory, 0)); err != nil {
		t.Fatal(err)
	}
	got := check.Judge(m.Journal())
	if got.Verdict != verify.Pass || !strings.Contains(strings.Join(got.Details, "\n"), sumNotInTime) {
		t.Errorf("%v: %s %q", got.Verdict, got.Summary, got.Details)
	}
}

func TestPreflight(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	preflight := func(own, environment string) ([]string, error) {
		spec := within(time.Hour)
		spec.Directory = own
		check, _ := New(checkName, spec).(verify.Preflight)
		return check.Preflight(t.Context(), verify.Env{SnapshotDirectory: environment})
	}
	for name, test := range map[string]struct{ own, environment, want string }{
		"missing":        {filepath.Join(directory, "gone"), "", "no such file or directory"},
		"a file":         {file, "", "must be a directory"},
		"not named":      {"", "", "no directory of snapshots is known"},
		"its own counts": {filepath.Join(directory, "gone"), directory, "no such file or directory"},
	} {
		if _, err := preflight(test.own, test.environment); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		} else if of, ok := refusal.As(err); !ok || of.Hint == "" {
			t.Errorf("%s: no refusal with a next step: %v", name, err)
		}
	}
	for _, test := range [][2]string{{directory, ""}, {"", directory}} {
		notes, err := preflight(test[0], test[1])
		if err != nil || len(notes) != 1 || !strings.HasPrefix(notes[0], "no etcd snapshot in "+directory) {
			t.Errorf("%q: %q, %v", test, notes, err)
		}
	}
	if permissions := newCheck(1).Permissions(); len(permissions) > 0 {
		t.Errorf("%v", permissions)
	}
}
