package velero

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"gameday.dev/gameday/backup/velero/internal/velerotest"
	"gameday.dev/gameday/experiments"
)

// drill is what a step has planned that restores a backup that was there.
func drill(change ...func(*restorePlan)) restorePlan {
	own := restorePlan{Velero: inVelero, Source: "shop", Into: "drill", Backup: "nightly-1", Own: "gameday-" + run + "-0001", CleanupSeconds: 60}
	for _, c := range change {
		c(&own)
	}
	return own
}

// A name that no run gives is none that a ledger of gameday's could hold.
func TestUndoRefusesNamesOfOthers(t *testing.T) {
	for name, forge := range map[string]func(*restorePlan){
		"of the cluster": func(own *restorePlan) { own.Velero, own.Own = "kube-system", "coredns" },
		"of another run": func(own *restorePlan) { own.Own = "gameday-20260512-030000-cd34-0001" },
		"none":           func(own *restorePlan) { own.Own = "" },
	} {
		t.Run(name, func(t *testing.T) {
			own := drill(forge)
			theirs := velerotest.ConfigMap(own.Velero, own.Own)
			theirs.Labels = map[string]string{experiments.LabelRun: run}
			w := newWorld(t, theirs)
			var plan experiments.Plan
			if err := plan.SetData(own); err != nil {
				t.Fatal(err)
			}
			if said, err := new(Restore).Undo(t.Context(), w.env(), plan); !experiments.IsLasting(err) || len(w.Deleted()) > 0 {
				t.Errorf("said %q, %v; deleted %v", said, err, w.Deleted())
			}
		})
	}
}

// A plan from the ledger says how long a namespace may take to go, and the cluster says
// what can be in one that is not marked.
func TestUndoByTheLedger(t *testing.T) {
	plan := experiments.Plan{Data: json.RawMessage(`{"velero":"velero","source":"shop","into":"drill","backup":"nightly-1","own":"gameday-` + run + `-0001","location":"default","cleanupSeconds":60,"seed":7}`)}
	stuck, anew := velerotest.Namespace("drill"), velerotest.Namespace("drill")
	stuck.Labels = map[string]string{experiments.LabelRun: run}
	stuck.DeletionTimestamp, stuck.Finalizers = &metav1.Time{Time: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}, []string{"kubernetes"} // of a synctest bubble
	restored := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "drill", Name: "hush", Labels: map[string]string{velerov1.RestoreNameLabel: drill().Own}}}
	for want, there := range map[string][]runtime.Object{
		"stuck in deletion for 1m0s":                             {stuck},
		"Secret hush in it was restored by gameday-" + run + "-": {anew, restored},
	} {
		w := newWorld(t, there...)
		synctest.Test(t, func(t *testing.T) {
			if said, err := new(Restore).Undo(t.Context(), w.env(), plan); !experiments.IsLasting(err) || !strings.Contains(err.Error(), want) {
				t.Errorf("said %q, %v; want %q", said, err, want)
			}
		})
	}
}
