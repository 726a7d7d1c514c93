package run

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"gameday.dev/gameday/internal/journal"
)

func TestALedgerGivesBackWhatWasWritten(t *testing.T) {
	client := fake.NewClientset()
	ledger := openLedger(t, client, drained(1, "n1"), drained(2, "n2"), drained(10, "n3"))
	if err := ledger.remove(t.Context(), drained(2, "n2")); err != nil {
		t.Fatal(err)
	}
	found, err := findUnfinished(t.Context(), client)
	if err != nil || len(found) != 1 || found[0].header.Host != "laptop" || len(found[0].unreadable) > 0 {
		t.Fatalf("found %+v, error %v", found, err)
	}
	var names []string
	for _, e := range found[0].entries {
		names = append(names, e.Step.Name)
	}
	if got := strings.Join(names, " "); got != "drain-n1 drain-n3" {
		t.Errorf("entries %s", got)
	}
	if err := ledger.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := ledger.close(t.Context()); err != nil {
		t.Errorf("closing it twice: %v", err)
	}
}

func TestALedgerThatSomebodyDeletedStopsInjectingButNotUndoing(t *testing.T) {
	client := fake.NewClientset()
	ledger := openLedger(t, client)
	if err := ledger.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := ledger.add(t.Context(), drained(1, "n1")); err == nil {
		t.Error("an entry was added to a ledger that is not there")
	}
	if err := ledger.remove(t.Context(), drained(1, "n1")); err != nil {
		t.Errorf("striking from a ledger that is not there: %v", err)
	}
}

func TestWhatALedgerCannotReadIsNamedAndKeepsNothingElseFromBeingRead(t *testing.T) {
	whole, _ := json.Marshal(drained(1, "n1"))
	for _, test := range []struct {
		name    string
		data    map[string]string
		entries int
		says    string // empty: all is readable
	}{
		{"whole", map[string]string{headerKey: `{"id":"run-1","format":1}`, "step-001-a.json": string(whole)}, 1, ""},
		{"a kind of step from the future", map[string]string{
			headerKey: `{"id":"run-1"}`, "step-001-a.json": string(whole), "step-002-b.json": `{"order":2,"step":{"name":"b","meteor":{}}}`,
		}, 1, "key step-002-b.json: a kind of step that this gameday does not know"},
		{"half an entry", map[string]string{headerKey: `{"id":"run-1"}`, "step-001-a.json": string(whole[:20])}, 0, "key step-001-a.json"},
		{"no header", map[string]string{"step-001-a.json": string(whole)}, 1, "key run.json"},
		{"a newer format", map[string]string{
			headerKey: `{"id":"run-1","format":2,"gameday":"v9.1.0"}`, "step-001-a.json": string(whole),
		}, 0, "use gameday v9.1.0"},
		{"nothing at all", nil, 0, "key run.json"},
	} {
		t.Run(test.name, func(t *testing.T) {
			one := readLedger(corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "gameday", Name: "gameday-run-1"}, Data: test.data})
			if one.header.ID != "run-1" || len(one.entries) != test.entries {
				t.Errorf("run %q with %d entries, want run-1 with %d", one.header.ID, len(one.entries), test.entries)
			}
			said := strings.Join(one.unreadable, "\n")
			if test.says == "" && said != "" || !strings.Contains(said, test.says) {
				t.Errorf("unreadable %q, want %q", said, test.says)
			}
		})
	}
}

// A ConfigMap holds 1 MiB: a drain of 20 nodes with 50 pods each must leave
// room for others in the same run.
func TestTheLedgerHasRoomForALargeDrain(t *testing.T) {
	client := fake.NewClientset()
	large := drained(1, "ip-10-0-112-134.eu-central-1.compute.internal")
	for i := range 1000 {
		pod := fmt.Sprintf("recommendation-service-7d4f8c9d8f-x%04d", i)
		large.Plan.Targets = append(large.Plan.Targets, journal.Target{
			Kind: "Pod", Namespace: "shop-production-checkout", Name: pod, UID: "3f0c9a52-53c1-4d2a-9d0e-5b9c5c1f9f10", Node: large.Plan.Targets[0].Name,
		})
		large.Plan.Notes = append(large.Plan.Notes, pod+": its PodDisruptionBudget allows 0 disruptions now")
	}
	ledger := openLedger(t, client, large)
	object, err := client.CoreV1().ConfigMaps("gameday").Get(t.Context(), ledger.name(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if size := object.Size(); size > 256<<10 {
		t.Errorf("1000 pods take %d KiB of 1024", size>>10)
	}
}
