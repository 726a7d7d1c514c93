package kube

import (
	"context"
	"errors"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Unreachable says that no API server answered, or none that can serve, as
// while it restarts. Whether the request took effect is unknown.
func Unreachable(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err != nil
	}
	return status.Status().Code == http.StatusServiceUnavailable
}

// Unsure says that err leaves open whether the request took effect: nobody
// answered, or the API server failed at it. Asking again tells.
func Unsure(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err != nil
	}
	return status.Status().Code >= http.StatusInternalServerError
}

// lastWords is how long the answer to a change already asked for is awaited
// when the run is cut short: a pod taken and not recorded, or a cordon that
// lands after it was undone, is the worse evil.
const lastWords = 2 * time.Second

// Linger returns the context for a request that changes something: it ends
// lastWords after ctx does. Begin nothing under it once ctx is over.
func Linger(ctx context.Context) (context.Context, context.CancelFunc) {
	lingering, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(lastWords, cancel) })
	return lingering, func() { stop(); cancel() }
}

// Pause waits, or returns why it did not.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
