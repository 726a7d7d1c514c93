package run

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/scenarios"
	"gameday.dev/gameday/verify/availability"
)

func recovery(client *fake.Clientset, id string) RecoverOptions {
	return RecoverOptions{Client: client, ID: id, Holder: "recover-1", Progress: func(string) {}}
}

func cordoned(t *testing.T, client *fake.Clientset, name string) bool {
	t.Helper()
	node, err := client.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return node.Spec.Unschedulable
}

func TestRecoverUndoesWhatAKilledRunHasLeft(t *testing.T) {
	client := allowed(node("n1", "run-1"), node("n2", "run-1"), node("n3", "another"))
	openLedger(t, client, drained(1, "n1"), drained(2, "n2"), drained(3, "n3"))
	recovered, err := Recover(t.Context(), recovery(client, ""))
	if err != nil || len(recovered) != 1 || len(recovered[0].Left) > 0 || len(recovered[0].Undone) != 3 {
		t.Fatalf("recovered %+v, error %v", recovered, err)
	}
	if cordoned(t, client, "n1") || cordoned(t, client, "n2") || !cordoned(t, client, "n3") {
		t.Error("want n1 and n2 uncordoned, and the cordon of another run as it was")
	}
	for range 2 { // and again
		if recovered, err = Recover(t.Context(), recovery(client, "")); err != nil || len(recovered) > 0 {
			t.Errorf("recovered %+v, error %v, want nothing to do", recovered, err)
		}
	}
	leases, err := client.CoordinationV1().Leases("gameday").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(leases.Items) > 0 {
		t.Errorf("%d leases are left, error %v", len(leases.Items), err)
	}
}

func TestRecoverLeavesALiveRunAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := allowed(node("n1", "run-1"), heldLease("run-1"))
		openLedger(t, client, drained(1, "n1"))
		time.AfterFunc(3*time.Second, func() {
			renewed := heldLease("run-1")
			renewed.ResourceVersion = "2"
			_, _ = client.CoordinationV1().Leases("gameday").Update(t.Context(), renewed, metav1.UpdateOptions{})
		})
		_, err := Recover(t.Context(), recovery(client, "run-1"))
		if refused, ok := refusal.As(err); !ok || !strings.Contains(refused.Reason, "run-1 is at work") {
			t.Errorf("error %v, want a refusal", err)
		}
		if !cordoned(t, client, "n1") {
			t.Error("undid a fault of a live run")
		}
	})
}

func TestRecoverUndoesWhatItCanReadAndKeepsTheRest(t *testing.T) {
	client := allowed(node("n1", "run-1"))
	ledger := openLedger(t, client, drained(1, "n1"))
	if err := ledger.update(t.Context(), func(data map[string]string) error {
		data["step-002-rain.json"] = `{"order":2,"step":{"name":"rain","meteor":{}}}`
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	recovered, err := Recover(t.Context(), recovery(client, "run-1"))
	if err != nil || len(recovered) != 1 || len(recovered[0].Left) != 1 || !strings.Contains(recovered[0].Left[0], "does not know") {
		t.Fatalf("recovered %+v, error %v", recovered, err)
	}
	if cordoned(t, client, "n1") {
		t.Error("n1 was not undone")
	}
	if left, err := findUnfinished(t.Context(), client); err != nil || len(left) != 1 {
		t.Errorf("left %+v, error %v, want the ledger to stay", left, err)
	}
}

// killed writes the journal of a run that was killed after it had drained n1.
func killed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	writer, err := journal.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	e := drained(1, "n1")
	scenario := scenarios.Scenario{APIVersion: scenarios.APIVersion, Kind: scenarios.KindScenario, Metadata: scenarios.Metadata{Name: "drill"}}
	scenario.Spec.Steps = []scenarios.Step{e.Step}
	scenario.Spec.Limits = scenarios.Limits{Namespaces: []string{"shop"}}
	scenario.Spec.Checks = []scenarios.Check{{Name: "up", Availability: &availability.Spec{
		Workload: availability.Workload{Kind: "Deployment", Namespace: "shop", Name: "web"},
	}}}
	document, err := json.Marshal(scenario)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		writer.Append("", "", journal.RunStarted, journal.RunInfo{ID: "run-1", Scenario: "drill", Document: document}),
		writer.Append(e.Step.Name, "", journal.StepPlanned, journal.Planned{Experiment: "nodeDrain", Targets: e.Plan.Targets, Data: e.Plan.Data}),
		writer.Append(e.Step.Name, "", journal.StepInjecting, nil),
		writer.Append("", "", journal.RunSettling, nil),
		writer.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheJournalServesWhenTheNamespaceOfTheLedgerIsGone(t *testing.T) {
	client := allowed(node("n1", "run-1"))
	client.PrependReactor("create", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		_, err := client.Tracker().Get(corev1.SchemeGroupVersion.WithResource("namespaces"), "", "gameday")
		return err != nil, nil, err
	})
	options := recovery(client, "run-1")
	options.Dir = killed(t)
	recovered, err := Recover(t.Context(), options)
	if err != nil || len(recovered) != 1 || len(recovered[0].Undone) != 1 {
		t.Fatalf("recovered %+v, error %v", recovered, err)
	}
	if cordoned(t, client, "n1") {
		t.Error("n1 was not undone")
	}
	record, err := journal.Read(options.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if result, err := Judge(record); err != nil || result.Aborted == "" || result.ExitCode == 0 {
		t.Errorf("a recovered run is judged %d (%q), error %v: it was not carried out", result.ExitCode, result.Aborted, err)
	}
}

func TestRecoverWaitingForTheLockCanBeInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := allowed(node("n1", "run-1"), heldLease("run-1"))
		openLedger(t, client, drained(1, "n1"))
		ctx, interrupt := interruptedAfter(t, 2*time.Second)
		defer interrupt()
		if _, err := Recover(ctx, recovery(client, "")); !errors.Is(err, ErrInterrupted) {
			t.Errorf("error %v, want %v", err, ErrInterrupted)
		}
	})
}
