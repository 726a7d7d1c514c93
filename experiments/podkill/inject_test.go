package podkill

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

func intOrString(text string) *intstr.IntOrString {
	value := intstr.Parse(text)
	return &value
}

// taken keeps the pods that were recorded as disrupted.
type taken struct{ pods []string }

func (r *taken) Record(kind string, payload any) {
	if disruption, ok := payload.(journal.Disruption); ok && kind == journal.PodDisrupted {
		r.pods = append(r.pods, disruption.Target.String()+" "+disruption.How)
	}
}

func targets(names ...string) experiments.Plan {
	var plan experiments.Plan
	for _, name := range names {
		plan.Targets = append(plan.Targets, journal.Target{Kind: "Pod", Namespace: "shop", Name: name, UID: "uid-" + name})
	}
	return plan
}

func TestDelete(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	conflict := apierrors.NewConflict(pods, "a", errors.New("UID"))
	missing := apierrors.NewNotFound(pods, "a")
	refused := errors.New("connection refused")
	tests := map[string]struct {
		answers []error // one for each attempt; then success
		state   journal.State
		summary string
		taken   int
		err     string
	}{
		"deleted":            {nil, journal.Done, "shop/a killed", 1, ""},
		"gone already":       {[]error{missing}, journal.Failed, "shop/a already gone", 0, ""},
		"another pod":        {[]error{conflict}, journal.Failed, "shop/a already gone", 0, ""},
		"API server away":    {[]error{refused}, journal.Done, "shop/a killed", 1, ""},
		"taken, but unheard": {[]error{refused, missing}, journal.Done, "shop/a killed", 1, ""},
		"server failed":      {[]error{apierrors.NewInternalError(errors.New("etcdserver: request timed out")), missing}, journal.Done, "shop/a killed", 1, ""},
		"not allowed":        {[]error{apierrors.NewForbidden(pods, "a", errors.New("no"))}, "", "", 0, "deleting pod shop/a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := fake.NewClientset(pod("a"))
				client.PrependReactor("delete", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
					options := action.(clienttesting.DeleteActionImpl).DeleteOptions
					if options.Preconditions == nil || string(*options.Preconditions.UID) != "uid-a" {
						t.Errorf("preconditions %v, want the UID", options.Preconditions)
					}
					if len(test.answers) == 0 {
						return true, nil, nil
					}
					err := test.answers[0]
					test.answers = test.answers[1:]
					return true, nil, err
				})
				record := &taken{}
				got, err := spec("").Inject(t.Context(), experiments.Env{Client: client, Record: record}, targets("a"))
				if test.err != "" {
					if err == nil || !strings.Contains(err.Error(), test.err) {
						t.Fatalf("got %v, want %q", err, test.err)
					}
					return
				}
				if err != nil || got.State != test.state || got.Summary != test.summary || len(record.pods) != test.taken {
					t.Errorf("got %+v, %v, recorded %v", got, err, record.pods)
				}
			})
		})
	}
}

func TestInjectTellsWhyItEnded(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("availability broke")
	cancel(why)
	_, err := spec("").Inject(ctx, experiments.Env{Client: fake.NewClientset(), Record: &taken{}}, targets("a"))
	if !errors.Is(err, why) {
		t.Errorf("got %v, want the cause of the cancellation", err)
	}
}

func TestInjectThatWasCancelledAfterItsLastAnswerIsDone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := fake.NewClientset()
	client.PrependReactor("delete", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		cancel() // a check with abortOnBreach sees the pod go before the API server has answered
		return true, nil, nil
	})
	got, err := spec("").Inject(ctx, experiments.Env{Client: client, Record: &taken{}}, targets("a"))
	if err != nil || got.State != journal.Done {
		t.Errorf("got %+v, %v; want done", got, err)
	}
}

// The check that ends the run may see the pod go before the API server has
// answered: the answer is awaited, or nobody would know who took the pod.
func TestDeleteHearsTheAnswerThoughTheRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		time.Sleep(50 * time.Millisecond) // for a client that gives up to do so
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Success"}`))
	}))
	defer server.Close()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	record := &taken{}
	got, err := spec("").Inject(ctx, experiments.Env{Client: client, Record: record}, targets("a"))
	if err != nil || got.State != journal.Done || len(record.pods) != 1 {
		t.Errorf("got %+v, %v, recorded %v; want one pod killed", got, err, record.pods)
	}
}

// A budget that held a while ago is no excuse for a refusal that is final.
func TestFateOfPodRefusedAfterItWasHeld(t *testing.T) {
	hold := kube.Answer{Kind: kube.BudgetHolds, Budget: "web"}
	refused := kube.Answer{Kind: kube.Refused, Err: errors.New("denied by policy")}
	got := fateOf(targets("a").Targets[0], kube.Eviction{Asked: true, Held: &hold, Last: refused})
	if got.err == nil || got.blocked {
		t.Errorf("got %+v, want the refusal", got)
	}
}

func TestOutcome(t *testing.T) {
	fates := func(kind string, names ...string) []fate {
		var list []fate
		for _, target := range targets(names...).Targets {
			list = append(list, fate{
				target: target, taken: kind == "taken", gone: kind == "gone", blocked: kind == "blocked",
				why: "PDB shop/web needs 2 healthy, has 2",
			})
		}
		return list
	}
	tests := map[string]struct {
		expect   string
		fates    []fate
		state    journal.State
		expected bool
		summary  string
	}{
		"all":              {"", fates("taken", "a", "b"), journal.Done, true, "shop/a, shop/b evicted"},
		"many":             {"", fates("taken", "a", "b", "c", "d", "e"), journal.Done, true, "shop/a, shop/b, shop/c +2 evicted"},
		"held":             {"", fates("blocked", "a"), journal.Blocked, false, "shop/a not evicted within 1m0s: PDB shop/web needs 2 healthy, has 2"},
		"held as expected": {"blocked", fates("blocked", "a"), journal.Blocked, true, "shop/a not evicted within 1m0s: PDB shop/web needs 2 healthy, has 2"},
		"not held":         {"blocked", fates("taken", "a"), journal.Done, false, "shop/a evicted"},
		"some gone":        {"", append(fates("taken", "a"), fates("gone", "b")...), journal.Done, true, "shop/a evicted; shop/b already gone"},
		"nothing taken":    {"", fates("gone", "a"), journal.Failed, false, "shop/a already gone"},
	}
	for name, test := range tests {
		got := (&Spec{Method: MethodEvict, Expect: test.expect}).outcome(test.fates)
		if got.State != test.state || got.Expected != test.expected || got.Summary != test.summary {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
