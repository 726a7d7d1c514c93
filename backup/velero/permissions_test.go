package velero

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup/velero/probe"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
)

// everySpec is each combination of what changes permissions.
func everySpec() map[string]*Restore {
	all := map[string]*Restore{}
	no := false
	for source, from := range map[string]Restore{
		"new":                 {Backup: Source{Namespaces: []string{"shop"}}},
		"new without files":   {Backup: Source{Namespaces: []string{"shop"}, DefaultVolumesToFsBackup: &no}},
		"one of new":          {Backup: Source{Namespaces: []string{"shop", "other"}}, Namespace: "shop"},
		"named":               {Backup: Source{Name: "nightly-1"}, Namespace: "shop"},
		"named, of namespace": {Backup: Source{Name: "nightly-1"}},
		"schedule":            {Backup: Source{Schedule: "nightly"}, Namespace: "shop"},
		"schedule without":    {Backup: Source{Schedule: "weekly"}, Namespace: "shop"},
	} {
		for bits := range 1 << 5 {
			s := from
			s.Into = "drill"
			s.Volumes.Compare, s.Start, s.Control = bits&1 != 0, bits&2 != 0, bits&4 != 0
			if bits&8 != 0 {
				s.Network, s.Quota = networkOpen, &no
			}
			if s.Start && bits&16 != 0 {
				s.Probe = &probe.Spec{HTTP: &probe.HTTP{Selector: "app=web", Port: 80}, Timeout: &metav1.Duration{Duration: time.Millisecond}}
			}
			all[fmt.Sprintf("%s, compare %v, start %v, control %v, open %v, probe %v", source, s.Volumes.Compare, s.Start, s.Control, s.Network == networkOpen, s.Probe != nil)] = &s
		}
	}
	return all
}

// needed are the permissions that a user must have, without the optional ones.
func needed(s *Restore) []kube.Permission {
	var all []kube.Permission
	for _, permission := range kube.WithVelero(s.Permissions(), inVelero) {
		if !permission.Optional {
			all = append(all, permission)
		}
	}
	if len(s.originals()) == 0 { // Plan asks for it, as soon as it knows the namespace
		all = append(all, reading("shop"))
	}
	return all
}

// A user who may do what Permissions lists, and nothing else, is refused nothing on
// the way: from the plan, through all that a climb makes, to the last look of undo.
func TestPermissionsAreEnough(t *testing.T) {
	for name, spec := range everySpec() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, shop()...)
			w.Put(t, "backups", "Backup", nightly("nightly-1"))
			w.Put(t, "schedules", "Schedule", &velerov1.Schedule{ObjectMeta: metav1.ObjectMeta{Name: "weekly"}})
			w.may = needed(spec)
			plan, err := spec.Plan(t.Context(), w.env())
			if err != nil {
				t.Fatalf("planning: %v", err)
			}
			if _, err := spec.Inject(t.Context(), w.env(), plan); err != nil {
				t.Fatalf("climbing: %v", err)
			}
			if spec.Volumes.Compare {
				if err := w.Reader(t.Context(), "reader"); err != nil {
					t.Fatalf("making a reader: %v", err)
				}
			}
			if _, err := spec.Undo(t.Context(), w.env(), plan); err != nil {
				t.Errorf("undoing: %v", err)
			}
			for _, access := range w.refused {
				if !allowed(kube.WithVelero(spec.Permissions(), inVelero), access) { // what is optional may be refused
					t.Errorf("this user may not: %s", access)
				}
			}
			if spec.Backup.Schedule != "weekly" && !strings.Contains(w.rung(rungObjects).Summary, "not compared: 1 kinds (storageclasses.storage.k8s.io)") {
				t.Errorf("objects: %+v", w.rung(rungObjects))
			}
			if left := w.Marked(t); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// Nothing is asked for that is not used: who restores backups that are there need not be
// allowed to delete any, nor to look into gameday's own namespace.
func TestPermissionsAreTheLeast(t *testing.T) {
	named := &Restore{Backup: Source{Name: "nightly-1"}, Namespace: "shop", Into: "drill"}
	for _, access := range []kube.Access{
		{Namespace: inVelero, Verb: "delete", Group: "velero.io", Resource: "backups"},
		{Namespace: inVelero, Verb: "list", Group: "velero.io", Resource: "deletebackuprequests"},
		{Namespace: inVelero, Verb: "list", Resource: "configmaps"},
		{Namespace: "gameday", Verb: "list", Resource: "pods"},
		{Namespace: "drill", Verb: "update", Resource: "configmaps"},
		{Namespace: "shop", Verb: "create", Resource: "pods", Subresource: "exec"},
		{Verb: "list", Resource: "persistentvolumes"},
	} {
		if allowed(needed(named), access) {
			t.Errorf("it asks to %s", access)
		}
	}
}

// Only the backup says which namespace it holds, and only then can be asked whether
// the user may read that.
func TestPlanRefusesWhoMayNotReadTheOriginal(t *testing.T) {
	spec := &Restore{Backup: Source{Name: "nightly-1"}, Into: "drill"}
	w := newWorld(t, shop()...)
	w.Put(t, "backups", "Backup", nightly("nightly-1"))
	w.may = kube.WithVelero(spec.Permissions(), inVelero)
	_, err := spec.Plan(t.Context(), w.env())
	refusedWith(t, err, "this user may not: get *.* in namespace shop; list *.* in namespace shop")
}

// The volumes of a namespace are asked about by one list, however many there are.
func TestPlanAsksLittle(t *testing.T) {
	no := false
	spec := &Restore{Backup: Source{Namespaces: []string{"shop"}, DefaultVolumesToFsBackup: &no}, Into: "drill"}
	w := newWorld(t, shop()...)
	if _, err := spec.Plan(t.Context(), w.env()); err != nil {
		t.Fatal(err)
	}
	for _, access := range w.asked {
		if access.Resource == "persistentvolumes" && access.Verb != "list" {
			t.Errorf("asked to %s", access)
		}
	}
	if len(w.asked) > 7 {
		t.Errorf("%d requests: %v", len(w.asked), w.asked)
	}
}

func refusedWith(t *testing.T, err error, words string) {
	t.Helper()
	var refused *refusal.Refusal
	if !errors.As(err, &refused) || !strings.Contains(refused.Error(), words) {
		t.Errorf("got %v, want a refusal with %q", err, words)
	}
}
