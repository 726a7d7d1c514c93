package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// AnswerKind is what the API server made of an eviction.
type AnswerKind int

// The answers to an eviction.
const (
	// Refused is an answer that asking again won't change: no permission, an
	// admission webhook. It is the zero value, so that nothing passes by omission.
	Refused AnswerKind = iota
	// Evicted means that the pod has been told to go; it may take its grace period.
	Evicted
	// Gone means that this pod was no longer there, or another had its name.
	Gone
	// BudgetHolds means that a PodDisruptionBudget allows no disruption now.
	BudgetHolds
	// SeveralBudgets means that more than one budget selects the pod, which the
	// eviction API does not support: it can't be evicted while that is so.
	SeveralBudgets
	// NamespaceTerminating means that the pod goes with its namespace.
	NamespaceTerminating
	// Throttled means that the API server asks for patience.
	Throttled
	// Unavailable means that nobody can tell: the connection broke or the API
	// server failed. The eviction may have happened.
	Unavailable
)

// Answer is the API server's answer to one eviction.
type Answer struct {
	Kind AnswerKind
	// At is when the answer arrived.
	At time.Time
	// Budget is the name of the PodDisruptionBudget that holds.
	Budget string
	// Words are the API server's own, made short: "needs 2 healthy, has 2".
	Words string
	// After is how long the API server asks to wait, zero if it does not.
	After time.Duration
	// Err is the error as the client gave it; nil when Evicted.
	Err error
}

// Why explains the answer for people.
func (a Answer) Why(pod PodRef) string {
	switch a.Kind {
	case BudgetHolds:
		return fmt.Sprintf("PDB %s/%s %s", pod.Namespace, a.Budget, a.Words)
	case SeveralBudgets:
		return "more than one PodDisruptionBudget selects it, which the eviction API does not support"
	case NamespaceTerminating:
		return "namespace " + pod.Namespace + " is terminating"
	case Throttled:
		return "the API server throttles"
	default:
		return a.Words
	}
}

// EvictOptions says how a pod is evicted.
type EvictOptions struct {
	// GracePeriodSeconds given to the pod; nil is the pod's own.
	GracePeriodSeconds *int64
	// DryRun asks what would happen.
	DryRun bool
}

// Evict asks the API server once to evict exactly this pod. It never deletes,
// never retries, and never touches another pod of the same name.
func Evict(ctx context.Context, client kubernetes.Interface, pod PodRef, options EvictOptions) Answer {
	eviction := &policyv1.Eviction{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name},
		DeleteOptions: &metav1.DeleteOptions{
			GracePeriodSeconds: options.GracePeriodSeconds,
			Preconditions:      &metav1.Preconditions{UID: &pod.UID},
		},
	}
	// The typed client would sleep through Retry-After and hide the answer.
	request := client.CoreV1().RESTClient().Post().MaxRetries(0).
		Namespace(pod.Namespace).Resource("pods").Name(pod.Name).SubResource("eviction").
		Body(eviction)
	if options.DryRun {
		// In the URL, where a read-only transport can see it.
		request = request.Param("dryRun", metav1.DryRunAll)
	}
	err := request.Do(ctx).Error()
	answer := classify(err)
	answer.At = time.Now().UTC()
	return answer
}

// classify reads an answer of the eviction API. The order matters: one status
// code carries several meanings and only causes tell them apart.
func classify(err error) Answer {
	if err == nil {
		return Answer{Kind: Evicted}
	}
	answer := Answer{Words: err.Error(), Err: err}
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		answer.After = time.Duration(seconds) * time.Second
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		answer.Kind = Unavailable // no answer at all
		return answer
	}
	code := status.Status().Code
	cause, held := apierrors.StatusCause(err, policyv1.DisruptionBudgetCause)
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err) && uidMismatch(err):
		answer.Kind = Gone
	case held:
		answer.Kind = BudgetHolds
		answer.Budget, answer.Words = budgetWords(cause.Message)
	case apierrors.IsForbidden(err) && apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		answer.Kind = NamespaceTerminating
	case apierrors.IsForbidden(err) && aboutBudget(status.Status()):
		answer.Kind = BudgetHolds
		answer.Budget = status.Status().Details.Name
	case apierrors.IsTooManyRequests(err):
		answer.Kind = Throttled
	case code == http.StatusInternalServerError && strings.Contains(err.Error(), "more than one PodDisruptionBudget"):
		answer.Kind = SeveralBudgets
	case code >= http.StatusInternalServerError, apierrors.IsConflict(err), apierrors.IsTimeout(err):
		answer.Kind = Unavailable
	default:
		answer.Kind = Refused
	}
	return answer
}

// uidMismatch tells "another pod has that name now" from "the pod changed
// while it was being evicted"; both are conflicts and only the text differs.
func uidMismatch(err error) bool {
	text := err.Error()
	return strings.Contains(text, "UID in the precondition") || strings.Contains(text, "UID in precondition")
}

// aboutBudget recognises the two refusals that the API server gives as
// forbidden though they concern a budget's status: too many unconfirmed
// evictions, and a negative allowance. Both pass with time.
func aboutBudget(status metav1.Status) bool {
	return status.Details != nil && status.Details.Group == policyv1.GroupName && status.Details.Kind == "poddisruptionbudget"
}

// budgetWords finds the name and the gist in the API server's sentence, "The
// disruption budget web needs 2 healthy pods and has 2 currently". A sentence
// it does not know stays whole.
func budgetWords(sentence string) (name, words string) {
	rest, ok := strings.CutPrefix(sentence, "The disruption budget ")
	if !ok {
		return "", sentence
	}
	name, words, _ = strings.Cut(rest, " ")
	var needs, has int
	if n, err := fmt.Sscanf(words, "needs %d healthy pods and has %d currently", &needs, &has); err == nil && n == 2 {
		words = fmt.Sprintf("needs %d healthy, has %d", needs, has)
	}
	return name, words
}
