package velero

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/experiments"
)

// drills are one of each kind of step.
func drills() map[string]*Restore {
	return map[string]*Restore{
		"a backup taken now":     {Backup: Source{Namespaces: []string{"shop"}}, Into: "drill", Control: true},
		"a backup that is there": {Backup: Source{Name: "nightly-1"}, Namespace: "shop", Into: "drill", Volumes: Volumes{Compare: true}},
		"started":                {Backup: Source{Schedule: "nightly"}, Namespace: "shop", Into: "drill", Start: true},
	}
}

// cut climbs until so many writes have reached the cluster, as a process does that is
// killed then. whole says that there was nothing more to write.
func (w *world) cut(t *testing.T, spec *Restore, writes int) (plan experiments.Plan, whole bool) {
	t.Helper()
	plan, err := spec.Plan(t.Context(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	w.writes = writes
	if _, err := spec.Inject(t.Context(), w.env(), plan); err != nil {
		t.Fatal(err)
	}
	if spec.Volumes.Compare {
		_ = w.Reader(t.Context(), "reader") // cut as well
	}
	whole = w.writes > 0
	w.writes = 1000
	return plan, whole
}

// Whenever a run is killed, what it has made until then is named by what was recorded
// before it made anything, and Undo in another process removes it all, and nothing else.
func TestUndoAfterEachWrite(t *testing.T) {
	for name, spec := range drills() {
		t.Run(name, func(t *testing.T) {
			whole, most := false, 0
			for writes := 0; !whole; writes++ {
				w := newWorld(t, shop()...)
				w.Put(t, "backups", "Backup", nightly("nightly-1"))
				var plan experiments.Plan
				plan, whole = w.cut(t, spec, writes)
				made := w.Marked(t)
				most = max(most, len(made))
				for _, one := range made {
					wantRecorded(t, plan, one)
				}
				data, err := json.Marshal(plan) // all that another process has
				if err != nil {
					t.Fatal(err)
				}
				var read experiments.Plan
				if err := json.Unmarshal(data, &read); err != nil {
					t.Fatal(err)
				}
				said, err := spec.Undo(t.Context(), w.env(), read)
				if err != nil || slices.Contains(made, "namespaces /drill") != strings.Contains(said, "namespace drill") {
					t.Errorf("cut after %d writes, with %v: %q, %v", writes, made, said, err)
				}
				if left := w.Marked(t); len(left) > 0 {
					t.Errorf("cut after %d writes: %v is left", writes, left)
				}
				w.wantOriginal(t)
				if said, err := spec.Undo(t.Context(), w.env(), read); said != "" || err != nil {
					t.Errorf("undone once more: %q, %v", said, err)
				}
			}
			if most < 3 {
				t.Errorf("at the most %d objects were there at once: it proves little", most)
			}
		})
	}
}

// wantRecorded wants an object's name in the plan, or that the plan says that there may be readers.
func wantRecorded(t *testing.T, plan experiments.Plan, object string) {
	t.Helper()
	var own restorePlan
	if err := plan.GetData(&own); err != nil {
		t.Fatal(err)
	}
	_, name, _ := strings.Cut(object, "/")
	switch {
	case strings.HasPrefix(object, "pods gameday/") && own.Readers:
	case name == own.Own, strings.HasPrefix(name, own.Own+"-"), object == "namespaces /"+own.Into:
	default:
		t.Errorf("%s is not in the plan: %s", object, plan.Data)
	}
}

// wantOriginal wants the original and its backup to be there as they were.
func (w *world) wantOriginal(t *testing.T) {
	t.Helper()
	core := w.Typed.CoreV1()
	_, pod := core.Pods("shop").Get(t.Context(), "db-0", metav1.GetOptions{})
	_, claim := core.PersistentVolumeClaims("shop").Get(t.Context(), "data", metav1.GetOptions{})
	_, config := core.ConfigMaps("shop").Get(t.Context(), "config", metav1.GetOptions{})
	_, space := core.Namespaces().Get(t.Context(), "shop", metav1.GetOptions{})
	_, volume := core.PersistentVolumes().Get(t.Context(), "pv-1", metav1.GetOptions{})
	_, backup := restorePlan{Velero: inVelero}.client(w.env()).Backup(t.Context(), "nightly-1")
	for _, err := range []error{pod, claim, config, space, volume, backup} {
		if err != nil {
			t.Error(fmt.Errorf("of the original: %w", err))
		}
	}
}
