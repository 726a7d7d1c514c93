package velero

import (
	"strings"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/backup/internal/climbtest"
)

// A schedule's newest backup is one that this cluster made, that stays, and that nobody
// deletes.
func TestNewestOfASchedule(t *testing.T) {
	at := func(hour int) *metav1.Time {
		at := metav1.NewTime(climbtest.Night().Add(time.Duration(hour) * time.Hour))
		return &at
	}
	const bySync = 1
	made := func(name string, hour int, change ...func(*velerov1.Backup)) *velerov1.Backup {
		return nightly(name, append([]func(*velerov1.Backup){func(b *velerov1.Backup) {
			b.Generation, b.CreationTimestamp = 6, *at(hour)
			b.Status.StartTimestamp, b.Status.CompletionTimestamp, b.Status.Expiration = at(hour), at(hour), at(hour+48)
		}}, change...)...)
	}
	found := func(b *velerov1.Backup) { b.Generation = bySync }
	now := *at(60)
	for name, test := range map[string]struct {
		backups []*velerov1.Backup
		last    *metav1.Time
		blind   bool
		want    string // empty when there is none
		warns   string
	}{
		"the newest":                {[]*velerov1.Backup{made("a", 20), made("b", 24), made("c", 22)}, nil, false, "b", ""},
		"none":                      {nil, nil, false, "", "no completed backup"},
		"expired":                   {[]*velerov1.Backup{made("a", 1)}, nil, false, "", "1 have expired or are being deleted"},
		"expired, nobody can tell":  {[]*velerov1.Backup{made("a", 1)}, nil, true, "a", "expired can't be told"},
		"being deleted":             {[]*velerov1.Backup{made("a", 20), made("b", 24, func(b *velerov1.Backup) { b.DeletionTimestamp, b.Finalizers = &now, []string{"x"} })}, nil, false, "a", ""},
		"another cluster's":         {[]*velerov1.Backup{made("a", 20), made("b", 24, found)}, nil, false, "a", ""},
		"found later than it ended": {[]*velerov1.Backup{made("a", 20), made("b", 24, func(b *velerov1.Backup) { b.CreationTimestamp = *at(30) })}, nil, false, "a", ""},
		"only another cluster's":    {[]*velerov1.Backup{made("a", 20, found), made("b", 24, found)}, nil, false, "b", "may be another cluster's"},
		"its own, found again":      {[]*velerov1.Backup{made("a", 20), made("nightly-20260513020000", 24, found)}, at(24), false, "nightly-20260513020000", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, shop()...)
			w.Put(t, "schedules", "Schedule", &velerov1.Schedule{ObjectMeta: metav1.ObjectMeta{Name: "nightly"}, Status: velerov1.ScheduleStatus{LastBackup: test.last}})
			for _, b := range test.backups {
				w.Put(t, "backups", "Backup", b)
			}
			if !test.blind {
				w.Typed.PrependReactor("create", "selfsubjectreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
					return true, &authenticationv1.SelfSubjectReview{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: now}}, nil
				})
			}
			plan, err := (&Restore{Backup: Source{Schedule: "nightly"}, Namespace: "shop", Into: "shop-drill"}).Plan(t.Context(), w.env())
			if err != nil {
				t.Fatal(err)
			}
			var own restorePlan
			if err := plan.GetData(&own); err != nil {
				t.Fatal(err)
			}
			warned := strings.Join(plan.Warnings, "\n")
			if own.Backup != test.want || !strings.Contains(warned, test.warns) || test.warns == "" && strings.Contains(warned, "cluster's") {
				t.Errorf("got backup %q, want %q; warned: %s", own.Backup, test.want, warned)
			}
		})
	}
}

func TestAScheduleThatIsNotThereIsRefused(t *testing.T) {
	w := newWorld(t, shop()...)
	s := &Restore{Backup: Source{Schedule: "nightly"}, Namespace: "shop", Into: "shop-drill"}
	if _, err := s.Plan(t.Context(), w.env()); err == nil || !strings.Contains(err.Error(), "schedules") {
		t.Error(err)
	}
	w.Put(t, "backups", "Backup", nightly("nightly-1"))
	if _, err := s.Plan(t.Context(), w.env()); err != nil {
		t.Errorf("its backups have outlived it: %v", err)
	}
}
