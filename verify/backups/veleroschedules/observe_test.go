package veleroschedules

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/backups/internal/lookstest"
)

func TestObserve(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	long := strings.Repeat("nightly-", 8) + "x"
	tests := map[string]struct {
		objects []runtime.Object
		spec    Spec
		want    verify.Verdict
		summary string
		tells   string
	}{
		"fresh": {[]runtime.Object{
			schedule("nightly", ago(240*time.Hour)), location("default"), backup("nightly", ago(3*time.Hour+time.Minute), 412), backup("nightly", ago(27*time.Hour), 400),
		}, within(26 * time.Hour), verify.Pass, "nightly: newest 3h1m old (nightly-", ""},
		"a backup of no Schedule, and one of another, count for none": {[]runtime.Object{
			schedule("nightly", ago(240*time.Hour)), location("default"), backup("nightly", ago(30*time.Hour), 412),
			backup("by-hand", ago(time.Hour), 412, func(b *velerov1.Backup) { b.Labels = nil }), backup("hourly", ago(time.Hour), 3),
		}, within(26 * time.Hour), verify.Fail, "nightly: newest 1d6h old", "1 backup of a Schedule hourly, which is not there"},
		"it counts from its beginning, not from its end": {[]runtime.Object{
			schedule("nightly", ago(240*time.Hour)), location("default"), backup("nightly", ago(27*time.Hour), 412, func(b *velerov1.Backup) {
				b.Status.CompletionTimestamp = &metav1.Time{Time: ago(time.Hour)}
			}),
		}, within(26 * time.Hour), verify.Fail, "nightly: newest 1d3h old", ""},
		"only the Schedules that are asked for": {[]runtime.Object{
			schedule("nightly", ago(240*time.Hour)), schedule("old", ago(240*time.Hour)), location("default"), backup("nightly", ago(time.Hour), 412),
		}, Spec{MaxAge: metav1.Duration{Duration: 26 * time.Hour}, Schedules: []string{"nightly"}}, verify.Pass, "nightly: newest 1h0m old", ""},
		"a phase that is no end": {[]runtime.Object{
			schedule("nightly", ago(240*time.Hour)), location("default"),
			backup("nightly", ago(time.Hour), 412, phase(velerov1.BackupPhaseFinalizing)), backup("nightly", ago(27*time.Hour), 400),
		}, within(26 * time.Hour), verify.Fail, "nightly: newest 1d3h old", "is Finalizing for 1h0m"},
		"one that is being deleted": {[]runtime.Object{
			schedule("nightly", ago(240*time.Hour)), location("default"),
			backup("nightly", ago(time.Hour), 412, func(b *velerov1.Backup) {
				b.DeletionTimestamp, b.Finalizers = &metav1.Time{Time: now}, []string{"velero.io/x"}
			}),
		}, within(26 * time.Hour), verify.Fail, "nightly: has never made a backup", ""},
		"another cluster's, synced from the storage location": {[]runtime.Object{
			schedule("nightly", ago(240*time.Hour)), location("default"),
			backup("nightly", ago(time.Hour), 412, func(b *velerov1.Backup) { b.Generation = 1 }),
			backup("nightly", ago(2*time.Hour), 412, func(b *velerov1.Backup) { b.CreationTimestamp = metav1.NewTime(ago(0)) }),
		}, within(26 * time.Hour), verify.Fail, "nightly: has never made a backup", "not counted: 2 backups that Velero found"},
		"its own, whose resource was deleted and came back": {[]runtime.Object{
			schedule("nightly", ago(240*time.Hour), func(s *velerov1.Schedule) { s.Status.LastBackup = &metav1.Time{Time: ago(time.Hour)} }), location("default"),
			backup("nightly", ago(time.Hour), 412, func(b *velerov1.Backup) { b.Generation, b.CreationTimestamp = 1, metav1.NewTime(now) }),
		}, within(26 * time.Hour), verify.Pass, "nightly: newest 1h0m old", ""},
		"collapsed": {[]runtime.Object{
			schedule("nightly", ago(240*time.Hour)), location("default"), backup("nightly", ago(time.Hour), 9), backup("nightly", ago(25*time.Hour), 412),
		}, within(26 * time.Hour), verify.Fail, "nightly: nightly-", "compare what they hold"},
		"a selector was added": {[]runtime.Object{
			schedule("nightly", ago(240*time.Hour)), location("default"),
			backup("nightly", ago(time.Hour), 9, func(b *velerov1.Backup) {
				b.Spec.LabelSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}
			}), backup("nightly", ago(25*time.Hour), 412),
		}, within(26 * time.Hour), verify.Fail, "nightly: nightly-", ""},
		"stored in a location that the Schedule does not name and is gone": {[]runtime.Object{
			schedule("nightly", ago(240*time.Hour)), location("default"),
			backup("nightly", ago(time.Hour), 412, func(b *velerov1.Backup) { b.Spec.StorageLocation = "old" }),
		}, within(26 * time.Hour), verify.Fail, "nightly: nightly-", ""},
		"the default is not available": {[]runtime.Object{
			schedule("nightly", ago(240*time.Hour)), location("other"), location("default", func(l *velerov1.BackupStorageLocation) {
				l.Status.Phase, l.Status.Message = velerov1.BackupStorageLocationPhaseUnavailable, "no such\nbucket"
			}), backup("nightly", ago(time.Hour), 412, func(b *velerov1.Backup) { b.Spec.StorageLocation = "other" }),
		}, within(26 * time.Hour), verify.Fail, "nightly: the next backup can not be written: storage location default is Unavailable: no such bucket", ""},
		"without a default the last one is taken": {[]runtime.Object{
			schedule("nightly", ago(240*time.Hour)), location("other"), backup("nightly", ago(time.Hour), 412, func(b *velerov1.Backup) { b.Spec.StorageLocation = "other" }),
		}, within(26 * time.Hour), verify.Pass, "nightly: newest", ""},
		"made anew after failures": {[]runtime.Object{
			schedule("nightly", ago(time.Hour)), location("default"), backup("nightly", ago(2*time.Hour), 0, phase(velerov1.BackupPhaseFailed)),
		}, within(26 * time.Hour), verify.Inconclusive, "cannot tell: nightly: has made no backup yet; it was created 1h0m ago", ""},
		"failed since it was made": {[]runtime.Object{
			schedule("nightly", ago(3*time.Hour)), location("default"), backup("nightly", ago(2*time.Hour), 0, phase(velerov1.BackupPhaseFailed)),
		}, within(26 * time.Hour), verify.Fail, "nightly: no Completed backup: 1 attempt failed: 1 Failed; the last is nightly-", ""},
		"a name too long for a label": {[]runtime.Object{
			schedule(long, ago(time.Hour)), location("default"),
		}, within(26 * time.Hour), verify.Fail, long + ": its name is longer than 63 letters", ""},
		"nothing at all": {nil, within(26 * time.Hour), verify.Fail, "no Schedule in namespace backups", "velero.namespace"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			finding, looks := newCluster(t, test.objects...).observe(t, test.spec)
			if finding.Verdict != test.want || !strings.HasPrefix(finding.Summary, test.summary) {
				t.Errorf("%v: %s; want %v: %s", finding.Verdict, finding.Summary, test.want, test.summary)
			}
			if lines := strings.Join(append(finding.Details, finding.Hints...), "\n"); !strings.Contains(lines, test.tells) {
				t.Errorf("no %q in\n%s", test.tells, lines)
			}
			if last := looks[len(looks)-1]; !last.Final || last.Namespace != where {
				t.Errorf("%+v", looks)
			}
		})
	}
}

// A Schedule with a thousand backups makes an event as small as one with ten.
func TestEventsStaySmall(t *testing.T) {
	now := time.Now()
	objects := []runtime.Object{schedule("hourly", now.Add(-5000*time.Hour)), location("default")}
	for hour := range 1000 {
		b := backup("hourly", now.Add(-time.Duration(hour)*time.Hour), 412)
		if hour < 500 {
			b.Status.Phase, b.Status.FailureReason = velerov1.BackupPhaseFailed, strings.Repeat("ä ", 500)
		}
		if hour == 400 {
			b.Status.Phase = velerov1.BackupPhaseInProgress
		}
		objects = append(objects, b)
	}
	m := lookstest.NewMemory(t, checkName)
	check := &check{name: checkName, spec: within(time.Hour)}
	look, err := check.eyes(newCluster(t, objects...).env(m)).look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m.Record(eventLook, look)
	for event := range m.Journal().All() {
		if len(event.Data) > 5000 {
			t.Errorf("the event has %d bytes", len(event.Data))
		}
	}
	s := look.Schedules[0]
	if s.Kept != 1000 || len(s.Attempts) != fewAttempts+3 || s.Later["Failed"] != 499 {
		t.Errorf("%+v", s)
	}
	look.Final = true
	m.Record(eventLook, look)
	got := check.Judge(m.Journal())
	if want := "hourly: newest 20d20h old"; got.Verdict != verify.Fail || !strings.HasPrefix(got.Summary, want) {
		t.Errorf("%v: %s, want %s", got.Verdict, got.Summary, want)
	}
	if lines := strings.Join(got.Details, "\n"); !strings.Contains(lines, "is InProgress for 16d16h") || !strings.Contains(lines, "499 attempts failed") {
		t.Error(lines)
	}
}

// What changes is written, and nothing else; what counts is the last look.
func TestObserveChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, schedule("hourly", time.Now().Add(-100*time.Hour)), location("default"), backup("hourly", time.Now().Add(-59*time.Minute), 40))
		m := lookstest.NewMemory(t, checkName)
		ctx, cancel := context.WithCancel(t.Context())
		started, done := make(chan struct{}), make(chan error, 1)
		env := c.env(m)
		env.Started = func() { close(started) }
		check := New(checkName, within(time.Hour))
		go func() { done <- check.Observe(ctx, env) }()
		<-started
		time.Sleep(10*time.Minute + time.Second)
		if looks := lookstest.Looks[lookEvent](m); len(looks) != 1 {
			t.Errorf("nothing has changed: %+v", looks)
		}
		c.put(t, "backups", backup("hourly", time.Now(), 41))
		time.Sleep(lookEvery)
		if looks := lookstest.Looks[lookEvent](m); len(looks) != 2 || looks[1].Schedules[0].Kept != 2 {
			t.Errorf("one has come: %+v", looks)
		}
		if got := check.Judge(m.Journal()); got.Verdict != verify.Inconclusive || got.Open {
			t.Errorf("while it goes on: %v: %s", got.Verdict, got.Summary)
		}
		time.Sleep(20 * time.Minute)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := check.Judge(m.Journal()); got.Verdict != verify.Pass || !strings.HasPrefix(got.Summary, "hourly: newest 2") {
			t.Errorf("%v: %s", got.Verdict, got.Summary)
		}
	})
}

// An API server that comes back in time is waited for; one that denies is not.
func TestAPIServerAway(t *testing.T) {
	denied := apierrors.NewForbidden(schema.GroupResource{Group: "velero.io", Resource: "backups"}, "", errors.New("no"))
	for name, test := range map[string]struct {
		resource string
		err      error
		away     time.Duration // from the end of the run on
		want     verify.Verdict
		summary  string
	}{
		"for a moment":   {"schedules", errors.New("connection refused"), 10 * time.Second, verify.Pass, "hourly: newest"},
		"being set up":   {"backups", apierrors.NewTooManyRequests("storage is (re)initializing", 1), 10 * time.Second, verify.Pass, "hourly: newest"},
		"for good":       {"backupstoragelocations", errors.New("connection refused"), time.Hour, verify.Inconclusive, "cannot tell: listing backupstoragelocations in namespace backups: connection refused"},
		"denying":        {"backups", denied, time.Second, verify.Inconclusive, "cannot tell: listing backups in namespace backups: backups.velero.io is forbidden: no"},
		"without Velero": {"schedules", apierrors.NewNotFound(schema.GroupResource{Group: "velero.io", Resource: "schedules"}, ""), time.Second, verify.Inconclusive, "cannot tell: the cluster has no Velero: listing"},
		"failing at it":  {"backups", apierrors.NewInternalError(errors.New("etcd")), 3 * time.Second, verify.Pass, "hourly: newest"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, schedule("hourly", time.Now().Add(-100*time.Hour)), location("default"), backup("hourly", time.Now().Add(-9*time.Minute), 40))
				var from, until time.Time
				c.fails(test.resource, func() error {
					if now := time.Now(); !from.IsZero() && now.Before(until) {
						return test.err
					}
					return nil
				})
				m := lookstest.NewMemory(t, checkName)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				check := New(checkName, within(time.Hour))
				go func() { done <- check.Observe(ctx, c.env(m)) }()
				time.Sleep(90 * time.Second)
				from, until = time.Now(), time.Now().Add(test.away)
				cancel()
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				if took := time.Since(from); took > 20*time.Second {
					t.Errorf("it took %s, and had 20s", took)
				}
				if got := check.Judge(m.Journal()); got.Verdict != test.want || !strings.HasPrefix(got.Summary, test.summary) {
					t.Errorf("%v: %s; want %v: %s", got.Verdict, got.Summary, test.want, test.summary)
				}
			})
		})
	}
}

// Ages are told by the API server's clock, and by this machine's where that is
// all there is.
func TestClocks(t *testing.T) {
	c := newCluster(t, schedule("nightly", time.Now().Add(-240*time.Hour)), location("default"), backup("nightly", time.Now().Add(-time.Hour-time.Minute), 40))
	c.ahead = 27 * time.Minute
	got, _ := c.observe(t, within(80*time.Minute))
	if got.Verdict != verify.Fail || !strings.HasPrefix(got.Summary, "nightly: newest 1h28m old") || !strings.Contains(strings.Join(got.Details, "\n"), "are 2") {
		t.Errorf("%v: %s %q", got.Verdict, got.Summary, got.Details)
	}
	c.kube.PrependReactor("create", "selfsubjectreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("the server could not find the requested resource")
	})
	got, _ = c.observe(t, within(80*time.Minute))
	if got.Verdict != verify.Pass || !strings.HasPrefix(got.Summary, "nightly: newest 1h1m old") || !strings.Contains(strings.Join(got.Details, "\n"), "by this machine's clock") {
		t.Errorf("%v: %s %q", got.Verdict, got.Summary, got.Details)
	}
}

func TestPreflight(t *testing.T) {
	for name, test := range map[string]struct {
		err        error
		want, hint string
	}{
		"no Velero":   {apierrors.NewNotFound(schema.GroupResource{Group: "velero.io", Resource: "schedules"}, ""), "the cluster has no Velero", "install Velero"},
		"not allowed": {apierrors.NewForbidden(schema.GroupResource{Group: "velero.io", Resource: "schedules"}, "", errors.New("no")), "is forbidden", "in namespace backups"},
		"away":        {errors.New("connection refused"), "connection refused", "try again"},
	} {
		c := newCluster(t)
		c.fails("schedules", func() error { return test.err })
		check, _ := New(checkName, within(time.Hour)).(verify.Preflight)
		_, err := check.Preflight(t.Context(), c.env(nil))
		if of, ok := refusal.As(err); !ok || !strings.Contains(of.Reason, test.want) || !strings.Contains(of.Hint, test.hint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	check, _ := New(checkName, within(time.Hour)).(verify.Preflight)
	notes, err := check.Preflight(t.Context(), newCluster(t, schedule("nightly", time.Now().Add(-50*time.Hour)), location("default")).env(nil))
	if want := "nightly: has never made a backup"; err != nil || len(notes) != 1 || !strings.HasPrefix(notes[0], want) {
		t.Errorf("%q, %v", notes, err)
	}
}

func TestPermissions(t *testing.T) {
	var got []string
	for _, access := range kube.Accesses(kube.WithVelero(New(checkName, Spec{}).Permissions(), where)) {
		got = append(got, access.String())
	}
	want := "list backups.velero.io in namespace backups; list backupstoragelocations.velero.io in namespace backups; list schedules.velero.io in namespace backups"
	if line := strings.Join(got, "; "); line != want {
		t.Errorf("%s\nwant %s", line, want)
	}
}

func TestClip(t *testing.T) {
	for _, text := range []string{"", "a\n b\t c", strings.Repeat("ä", longest), "\xff\xfe", strings.Repeat("x", longest)} {
		got := clip(text)
		if strings.ContainsAny(got, "\n\t") || len(got) > longest+len("…") || strings.ToValidUTF8(got, "") != got {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func unstructuredOf(t *testing.T, object runtime.Object) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(fmt.Errorf("encoding %T: %w", object, err))
	}
	return &unstructured.Unstructured{Object: content}
}
