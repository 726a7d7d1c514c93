package run

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments/nodedrain"
	"gameday.dev/gameday/experiments/podkill"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/scenarios"
	"gameday.dev/gameday/verify/report"
)

func interruptedAfter(t *testing.T, d time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(t.Context())
	timer := time.AfterFunc(d, func() { cancel(ErrInterrupted) })
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}

func optionsOf(t *testing.T, client *fake.Clientset, hold time.Duration, step scenarios.Step) Options {
	t.Helper()
	step.Hold = &metav1.Duration{Duration: hold}
	scenario := scenarios.Scenario{APIVersion: scenarios.APIVersion, Kind: scenarios.KindScenario, Metadata: scenarios.Metadata{Name: "drill"}}
	scenario.Spec.Limits = scenarios.Limits{Namespaces: []string{"shop"}, MaxNodes: new(1)}
	scenario.Spec.Steps = []scenarios.Step{step}
	return Options{
		ID: "run-1", Scenario: scenario, Client: client, Cluster: "fake",
		Dir: filepath.Join(t.TempDir(), "run"),
	}
}

var drainStep = scenarios.Step{Name: "drain", NodeDrain: &nodedrain.Spec{Selector: "pool=worker"}}

// wantNothingLeft wants neither a cordon nor a ledger nor a lock.
func wantNothingLeft(t *testing.T, client *fake.Clientset) {
	t.Helper()
	if cordoned(t, client, "n1") {
		t.Error("n1 is still cordoned")
	}
	left, err := findUnfinished(t.Context(), client)
	if err != nil || len(left) > 0 {
		t.Errorf("ledgers left: %+v, error %v", left, err)
	}
	leases, err := client.CoordinationV1().Leases("gameday").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(leases.Items) > 0 {
		t.Errorf("%d leases are left, error %v", len(leases.Items), err)
	}
}

func endOf(t *testing.T, record *journal.Record) journal.RunEnd {
	t.Helper()
	event, ok := record.Last(journal.RunFinished)
	var end journal.RunEnd
	if !ok || event.Decode(&end) != nil {
		t.Fatal("the record has no end")
	}
	return end
}

func kinds(record *journal.Record) []string {
	var all []string
	for event := range record.All() {
		all = append(all, event.Kind)
	}
	return all
}

func TestTheLedgerIsWrittenBeforeTheFaultIsInjected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := allowed(node("n1", ""))
		written := false
		client.PrependReactor("patch", "nodes", func(clienttesting.Action) (bool, runtime.Object, error) {
			list, err := client.Tracker().List(corev1.SchemeGroupVersion.WithResource("configmaps"), corev1.SchemeGroupVersion.WithKind("ConfigMap"), "gameday")
			if ledgers, ok := list.(*corev1.ConfigMapList); err == nil && ok && len(ledgers.Items) == 1 {
				written = written || ledgers.Items[0].Data["step-001-drain.json"] != ""
			}
			if !written {
				t.Error("a node is touched that is in no ledger")
			}
			return false, nil, nil
		})
		record, err := Run(t.Context(), optionsOf(t, client, time.Second, drainStep))
		if err != nil {
			t.Fatal(err)
		}
		if end := endOf(t, record); !written || !end.Undone || end.Interrupted || end.Refused != "" {
			t.Errorf("ledger written: %t, end %+v", written, end)
		}
		wantNothingLeft(t, client)
	})
}

func TestAnInterruptionUndoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := allowed(node("n1", ""))
		ctx, stop := interruptedAfter(t, 30*time.Second)
		defer stop()
		record, err := Run(ctx, optionsOf(t, client, time.Hour/4, drainStep))
		if err != nil {
			t.Fatal(err)
		}
		if end := endOf(t, record); !end.Undone || !end.Interrupted {
			t.Errorf("end %+v", end)
		}
		if slices.Contains(kinds(record), journal.StepHeld) {
			t.Error("the record says that the hold lasted to its end")
		}
		wantNothingLeft(t, client)
	})
}

func TestALostLockUndoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := allowed(node("n1", ""))
		time.AfterFunc(32*time.Second, func() { // somebody takes it, between two renewals
			_, _ = client.CoordinationV1().Leases("gameday").Update(context.Background(), heldLease("run-2"), metav1.UpdateOptions{})
		})
		record, err := Run(t.Context(), optionsOf(t, client, time.Hour/4, drainStep))
		if err != nil {
			t.Fatal(err)
		}
		result, err := report.Build(record, nil, nil)
		if err != nil || !strings.Contains(result.Aborted, "the lock was lost") || result.ExitCode != 3 {
			t.Errorf("aborted %q, exit code %d, error %v", result.Aborted, result.ExitCode, err)
		}
		if cordoned(t, client, "n1") {
			t.Error("n1 is still cordoned")
		}
		lease, err := client.CoordinationV1().Leases("gameday").Get(t.Context(), leaseName, metav1.GetOptions{})
		if err != nil || holderOf(lease) != "run-2" {
			t.Errorf("lease %+v, error %v, want the other's", lease, err)
		}
	})
}

// An interruption while the run settles is one: nobody knows whether the
// workload would have become whole.
func TestAnInterruptionWhileSettlingIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := int32(1)
		set := &appsv1.StatefulSet{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "uid-of-web"},
			Spec:       appsv1.StatefulSetSpec{Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}},
		}
		set.Status.ReadyReplicas = one
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "shop", Name: "web-0", UID: "uid-of-web-0", Labels: map[string]string{"app": "web"},
				OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("StatefulSet"))},
			},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
		}
		client := allowed(node("n1", ""), set, pod)
		ctx, stop := interruptedAfter(t, time.Minute)
		defer stop()
		record, err := Run(ctx, optionsOf(t, client, time.Second, scenarios.Step{Name: "kill", PodKill: &podkill.Spec{Namespace: "shop", Selector: "app=web"}}))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(kinds(record), journal.RunSettling) {
			t.Fatalf("did not settle: %v", kinds(record))
		}
		if result, err := report.Build(record, nil, nil); err != nil || result.ExitCode != 130 || result.Verdict.String() != "inconclusive" {
			t.Errorf("exit code %d, verdict %s, error %v", result.ExitCode, result.Verdict, err)
		}
		wantNothingLeft(t, client)
	})
}

func TestARunIsKeptAwayFromWhatAnotherHasLeft(t *testing.T) {
	client := allowed(node("n1", ""), node("n2", "run-0"))
	ledger := &ledger{client: client, id: "run-0"}
	if err := ledger.open(t.Context(), header{ID: "run-0", Scenario: "drill", Host: "laptop"}); err != nil {
		t.Fatal(err)
	}
	record, err := Run(t.Context(), optionsOf(t, client, 0, drainStep))
	if err != nil {
		t.Fatal(err)
	}
	if end := endOf(t, record); !strings.Contains(end.Refused, "gameday recover run-0") {
		t.Errorf("end %+v, want a refusal that names the run", end)
	}
}

func TestARecordThatCannotBeKeptUndoesAndDoesNotPass(t *testing.T) {
	for when, hold := range map[string]time.Duration{"while it holds": time.Hour / 4, "at the very end": 0} {
		t.Run(when, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := allowed(node("n1", ""))
				options := optionsOf(t, client, hold, drainStep)
				writer, err := journal.Create(options.Dir)
				if err != nil {
					t.Fatal(err)
				}
				lose := func() { _ = writer.Close() } // nothing can be written any more, as on a full disk
				r := &runner{Options: options, journal: writer, settles: newSettles(t.Context())}
				if hold > 0 {
					time.AfterFunc(30*time.Second, lose)
				} else {
					client.PrependReactor("delete", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
						lose()
						return false, nil, nil
					})
				}
				began := time.Now()
				record := r.run(t.Context())
				if result, err := report.Build(record, nil, nil); err != nil || result.ExitCode != 3 || !strings.Contains(result.Aborted, "the record can't be kept") {
					t.Errorf("exit code %d, aborted %q, error %v", result.ExitCode, result.Aborted, err)
				}
				if took := time.Since(began); took > time.Minute {
					t.Errorf("went on for %s", took)
				}
				wantNothingLeft(t, client)
			})
		})
	}
}
