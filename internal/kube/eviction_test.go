package kube

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

var web2 = PodRef{Namespace: "shop", Name: "web-2", UID: "2222"}

// apiServer answers every request with one status and keeps the last request.
type apiServer struct {
	status   metav1.Status
	requests int
	query    string
	body     policyv1.Eviction
}

func (a *apiServer) client(t *testing.T) kubernetes.Interface {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.requests++
		a.query = r.URL.RawQuery
		if err := json.NewDecoder(r.Body).Decode(&a.body); err != nil {
			t.Errorf("decoding request: %v", err)
		}
		a.status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
		w.Header().Set("Content-Type", "application/json")
		if a.status.Details != nil && a.status.Details.RetryAfterSeconds > 0 {
			w.Header().Set("Retry-After", "10")
		}
		w.WriteHeader(int(a.status.Code))
		if err := json.NewEncoder(w).Encode(a.status); err != nil {
			t.Errorf("encoding answer: %v", err)
		}
	}))
	t.Cleanup(server.Close)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func failure(code int32, reason metav1.StatusReason, message string, details *metav1.StatusDetails) metav1.Status {
	return metav1.Status{Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message, Details: details}
}

func causes(kind metav1.CauseType, message string, retryAfter int32) *metav1.StatusDetails {
	return &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: kind, Message: message}}, RetryAfterSeconds: retryAfter}
}

// The answers are those the API server of Kubernetes 1.36 gives.
func TestEvictReadsAnswers(t *testing.T) {
	tests := map[string]struct {
		status metav1.Status
		want   Answer
	}{
		"accepted": {metav1.Status{Status: metav1.StatusSuccess, Code: 201}, Answer{Kind: Evicted}},
		"budget holds": {
			failure(429, metav1.StatusReasonTooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.",
				causes(policyv1.DisruptionBudgetCause, "The disruption budget web needs 2 healthy pods and has 2 currently", 0)),
			Answer{Kind: BudgetHolds, Budget: "web", Words: "needs 2 healthy, has 2"},
		},
		"budget not computed yet": {
			failure(429, metav1.StatusReasonTooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.",
				causes(policyv1.DisruptionBudgetCause, "The disruption budget web is still being processed by the server.", 10)),
			Answer{Kind: BudgetHolds, Budget: "web", Words: "is still being processed by the server.", After: 10 * time.Second},
		},
		"budget with too many unconfirmed evictions": {
			failure(403, metav1.StatusReasonForbidden, "DisruptedPods map too big",
				&metav1.StatusDetails{Group: "policy", Kind: "poddisruptionbudget", Name: "web"}),
			Answer{Kind: BudgetHolds, Budget: "web", Words: "DisruptedPods map too big"},
		},
		"throttled": {
			failure(429, metav1.StatusReasonTooManyRequests, "too many requests", &metav1.StatusDetails{RetryAfterSeconds: 10}),
			Answer{Kind: Throttled, Words: "too many requests", After: 10 * time.Second},
		},
		"several budgets": {
			failure(500, "", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.", nil),
			Answer{Kind: SeveralBudgets},
		},
		"server failed": {failure(500, metav1.StatusReasonInternalError, "etcdserver: no leader", nil), Answer{Kind: Unavailable}},
		"conflict on the budget": {
			failure(504, metav1.StatusReasonTimeout, "couldn't update PodDisruptionBudget \"web\" due to conflicts", &metav1.StatusDetails{RetryAfterSeconds: 10}),
			Answer{Kind: Unavailable, After: 10 * time.Second},
		},
		"not found": {failure(404, metav1.StatusReasonNotFound, "pods \"web-2\" not found", nil), Answer{Kind: Gone}},
		"another pod of that name": {
			failure(409, metav1.StatusReasonConflict, "the UID in the precondition (1) does not match the UID in record (2).", nil),
			Answer{Kind: Gone},
		},
		"pod changed meanwhile": {
			failure(409, metav1.StatusReasonConflict, "the ResourceVersion in the precondition (1) does not match", nil),
			Answer{Kind: Unavailable},
		},
		"namespace terminating": {
			failure(403, metav1.StatusReasonForbidden, "namespace shop is terminating", causes(corev1.NamespaceTerminatingCause, "", 0)),
			Answer{Kind: NamespaceTerminating},
		},
		"no permission": {failure(403, metav1.StatusReasonForbidden, "may not", nil), Answer{Kind: Refused, Words: "may not"}},
		"webhook":       {failure(400, metav1.StatusReasonBadRequest, "denied by policy", nil), Answer{Kind: Refused, Words: "denied by policy"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := &apiServer{status: test.status}
			got := Evict(t.Context(), server.client(t), web2, EvictOptions{})
			if got.Kind != test.want.Kind || got.Budget != test.want.Budget || got.After != test.want.After {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if test.want.Words != "" && got.Words != test.want.Words {
				t.Errorf("words %q, want %q", got.Words, test.want.Words)
			}
			if server.requests != 1 {
				t.Errorf("asked %d times, want once: the caller decides about retries", server.requests)
			}
			if uid := server.body.DeleteOptions.Preconditions.UID; uid == nil || *uid != web2.UID {
				t.Errorf("precondition UID %v, want %s", uid, web2.UID)
			}
		})
	}
}

func TestEvictWithoutServer(t *testing.T) {
	client, err := kubernetes.NewForConfig(&rest.Config{Host: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if got := Evict(t.Context(), client, web2, EvictOptions{}); got.Kind != Unavailable || !Unreachable(got.Err) {
		t.Errorf("got %+v, want unavailable and unreachable", got)
	}
}

func TestDryRunIsInTheURL(t *testing.T) {
	server := &apiServer{status: metav1.Status{Status: metav1.StatusSuccess, Code: 201}}
	Evict(t.Context(), server.client(t), web2, EvictOptions{DryRun: true})
	if server.query != "dryRun=All" {
		t.Errorf("query %q: a read-only transport must see that this is a dry run", server.query)
	}
}
