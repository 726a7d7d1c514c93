package velero

import (
	"strings"
	"testing"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/verify"
)

// objectsRung climbs with a user who may not do one thing.
func objectsRung(t *testing.T, denied *kube.Access) backup.Rung {
	t.Helper()
	spec := &Restore{Backup: Source{Name: "nightly-1"}, Namespace: "shop", Into: "drill"}
	w := newWorld(t, shop()...)
	w.Put(t, "backups", "Backup", nightly("nightly-1"))
	w.denied = denied
	plan, err := spec.Plan(t.Context(), w.env())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := spec.Inject(t.Context(), w.env(), plan); err != nil {
		t.Fatal(err)
	}
	return w.rung(rungObjects)
}

// What a user may not list of the cluster's own says nothing of the backup, and is told.
// What he may not list of either namespace might be lost.
func TestWhatMayNotBeListed(t *testing.T) {
	all := objectsRung(t, nil)
	if all.Verdict != verify.Pass || strings.Contains(all.Summary, "not compared") {
		t.Fatalf("a user who may do everything: %+v", all)
	}
	storageClasses := objectsRung(t, &kube.Access{Verb: "list", Group: "storage.k8s.io", Resource: "storageclasses"})
	if storageClasses.Verdict != verify.Pass || !strings.HasSuffix(storageClasses.Summary, "; not compared: 1 kinds (storageclasses.storage.k8s.io), the user may not list them") {
		t.Errorf("of the cluster's: %+v", storageClasses)
	}
	for _, namespace := range []string{"shop", "drill"} {
		found := objectsRung(t, &kube.Access{Namespace: namespace, Verb: "list", Resource: "secrets"})
		if found.Verdict != verify.Inconclusive || !strings.Contains(found.Summary, "secrets") || !strings.Contains(found.Summary, "forbidden") {
			t.Errorf("in namespace %s: %+v", namespace, found)
		}
	}
}
