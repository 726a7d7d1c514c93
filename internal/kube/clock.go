package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// ServerTime asks the API server what time it is, to the second. It is the
// clock that dates what is in the cluster, and need not be this machine's.
// A SelfSubjectReview asks who one is, which everybody may; nothing is stored,
// and its creationTimestamp is the moment of the answer (kubernetes,
// pkg/registry/authentication/selfsubjectreview/rest.go).
func ServerTime(ctx context.Context, client kubernetes.Interface) (time.Time, error) {
	answer, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return time.Time{}, fmt.Errorf("asking the API server for the time: %w", err)
	}
	if answer.CreationTimestamp.IsZero() {
		return time.Time{}, errors.New("asking the API server for the time: its answer has none")
	}
	return answer.CreationTimestamp.UTC(), nil
}
