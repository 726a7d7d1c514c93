package run

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
)

// failing makes one verb on one object fail until the time is up; zero is for ever.
func failing(client *fake.Clientset, verb, resource, name string, code int, lasts time.Duration) {
	until := time.Now().Add(lasts)
	client.PrependReactor(verb, resource, func(action clienttesting.Action) (bool, runtime.Object, error) {
		named, ok := action.(interface{ GetName() string })
		if !ok || named.GetName() != name || lasts > 0 && time.Now().After(until) {
			return false, nil, nil
		}
		return true, nil, apierrors.NewGenericServerResponse(code, verb, schema.GroupResource{Resource: resource}, name, "not now", 0, false)
	})
}

func TestOneUndoThatFailsKeepsNoOtherFromBeingUndone(t *testing.T) {
	for what, code := range map[string]int{
		"refused for good":                    http.StatusForbidden,
		"hanging until its own budget is out": http.StatusServiceUnavailable,
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := allowed(node("n1", "run-1"), node("n2", "run-1"))
				failing(client, "patch", "nodes", "n2", code, 0)
				entries := []entry{drained(1, "n1"), drained(2, "n2")}
				ledger := openLedger(t, client, entries...)
				ctx, cancel := undoContext(t.Context(), nil)
				defer cancel()
				var said notes
				undone := undoEntries(ctx, entries, ledger, func(e entry) experiments.Env {
					return experiments.Env{Client: client, RunID: "run-1", Record: said.forStep(e.Step.Name)}
				})
				if undone {
					t.Error("everything is undone, though n2 cannot be")
				}
				if said.undone["drain-n1"].OK != true {
					t.Errorf("n1 was not undone: %+v", said.undone)
				}
				if left := said.undone["drain-n2"].Left; !strings.Contains(left, "kubectl uncordon n2") {
					t.Errorf("left %q, want how to finish by hand", left)
				}
				found, err := findUnfinished(t.Context(), client)
				if err != nil || len(found) != 1 || len(found[0].entries) != 1 || found[0].entries[0].Step.Name != "drain-n2" {
					t.Errorf("ledger %+v, error %v, want drain-n2 alone", found, err)
				}
			})
		})
	}
}

func TestAnUndoEndsWhenItIsAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := allowed(node("n1", "run-1"))
		failing(client, "patch", "nodes", "n1", http.StatusServiceUnavailable, 0)
		entries := []entry{drained(1, "n1")}
		ledger := openLedger(t, client, entries...)
		abandon := make(chan struct{})
		ctx, cancel := undoContext(t.Context(), abandon)
		defer cancel()
		time.AfterFunc(3*time.Second, func() { close(abandon) })
		began := time.Now()
		var said notes
		if undoEntries(ctx, entries, ledger, func(e entry) experiments.Env {
			return experiments.Env{Client: client, RunID: "run-1", Record: said.forStep(e.Step.Name)}
		}) {
			t.Error("undone, though it was given up")
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("gave up after %s", took)
		}
	})
}

func TestClosingTheLedgerOutlastsAnAPIServerThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := allowed()
		ledger := openLedger(t, client)
		failing(client, "delete", "configmaps", ledger.name(), http.StatusServiceUnavailable, 20*time.Second)
		if err := ledger.closeSoon(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := client.CoreV1().ConfigMaps("gameday").Get(t.Context(), ledger.name(), metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("error %v, want the ledger to be gone", err)
		}
	})
}

func TestAPanicIsAnError(t *testing.T) {
	err := contained("undoing drain", func() error { panic("nil map") })
	if err == nil || !strings.Contains(err.Error(), "undoing drain panicked") || !strings.Contains(err.Error(), "undo_test.go") {
		t.Errorf("error %v, want one that says what panicked and where", err)
	}
}

// The context of a run that was interrupted must not reach its undo.
func TestAnUndoOutlivesTheInterruption(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(ErrInterrupted)
	undoing, done := undoContext(ctx, nil)
	defer done()
	if undoing.Err() != nil {
		t.Error("the undo ends with the run")
	}
}
