package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/internal/refusal"
)

const (
	leaseName = "gameday"
	// leaseDuration is how long a Lease outlives its last renewal. It is also
	// how long one waits before taking a dead run's Lease.
	leaseDuration = 30 * time.Second
	renewEvery    = 5 * time.Second
)

var errLockLost = errors.New("the lock was lost: another run took the Lease, or it could not be renewed")

// lock is the Lease that lets one run at a time touch a cluster.
type lock struct {
	client    kubernetes.Interface
	namespace string
	holder    string
}

// acquire takes the Lease. A Lease that somebody holds is watched until it is
// renewed (alive: refused) or has not been for a whole lease duration (dead:
// taken). Clocks of two machines are never compared.
func (l *lock) acquire(ctx context.Context, waiting func(holder string)) error {
	leases := l.client.CoordinationV1().Leases(l.namespace)
	for {
		lease, err := leases.Get(ctx, leaseName, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			_, err = leases.Create(ctx, l.lease(nil), metav1.CreateOptions{})
			if apierrors.IsAlreadyExists(err) {
				continue // somebody was quicker
			}
			if err != nil {
				return fmt.Errorf("creating lease %s/%s: %w", l.namespace, leaseName, err)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading lease %s/%s: %w", l.namespace, leaseName, err)
		}
		if held := holderOf(lease); held != "" && held != l.holder {
			waiting(held)
			alive, err := l.renewedSoon(ctx, lease)
			if err != nil {
				return err
			}
			if alive {
				return refusal.New(
					fmt.Sprintf("wait for run %s to end, or interrupt it where it runs", held),
					"lock held: run %s is at work on this cluster (lease %s/%s)", held, l.namespace, leaseName)
			}
		}
		_, err = leases.Update(ctx, l.lease(lease), metav1.UpdateOptions{})
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("taking lease %s/%s: %w", l.namespace, leaseName, err)
		}
		return nil
	}
}

// renewedSoon watches a held Lease for one lease duration and says whether its
// holder renewed it. A Lease that is released or deleted is not alive.
func (l *lock) renewedSoon(ctx context.Context, lease *coordinationv1.Lease) (bool, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, leaseDuration, errNotRenewed)
	defer cancel()
	version := lease.ResourceVersion
	for {
		watch, err := l.client.CoordinationV1().Leases(l.namespace).Watch(ctx, metav1.ListOptions{
			FieldSelector:   fields.OneTermEqualSelector("metadata.name", leaseName).String(),
			ResourceVersion: version,
		})
		if err != nil {
			if errors.Is(context.Cause(ctx), errNotRenewed) {
				return false, nil
			}
			return false, fmt.Errorf("watching lease %s/%s: %w", l.namespace, leaseName, err)
		}
		for event := range watch.ResultChan() {
			now, ok := event.Object.(*coordinationv1.Lease)
			if !ok { // an error object: the version is too old; the Lease has changed since
				watch.Stop()
				return true, nil
			}
			if now.ResourceVersion != lease.ResourceVersion {
				watch.Stop()
				return holderOf(now) != "" && event.Type != "DELETED", nil
			}
		}
		if errors.Is(context.Cause(ctx), errNotRenewed) {
			return false, nil
		}
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
	}
}

var errNotRenewed = errors.New("the lease was not renewed")

// keep renews the Lease until ctx ends and returns nil, or returns errLockLost
// when it is certain, or may be by now, that the lock is no longer ours.
func (l *lock) keep(ctx context.Context) error {
	ticker := time.NewTicker(renewEvery)
	defer ticker.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		err := l.renew(ctx)
		switch {
		case err == nil:
			renewed = time.Now()
		case errors.Is(err, errLockLost), time.Since(renewed) > leaseDuration-renewEvery:
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("%w (%v)", errLockLost, err)
		}
	}
}

func (l *lock) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, renewEvery)
	defer cancel()
	leases := l.client.CoordinationV1().Leases(l.namespace)
	lease, err := leases.Get(ctx, leaseName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return errLockLost
	}
	if err != nil {
		return fmt.Errorf("reading lease: %w", err)
	}
	if holderOf(lease) != l.holder {
		return errLockLost
	}
	if _, err := leases.Update(ctx, l.lease(lease), metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("renewing lease: %w", err)
	}
	return nil
}

// release deletes the Lease if it is still ours.
func (l *lock) release(ctx context.Context) error {
	leases := l.client.CoordinationV1().Leases(l.namespace)
	lease, err := leases.Get(ctx, leaseName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("releasing lease %s/%s: %w", l.namespace, leaseName, err)
	}
	if holderOf(lease) != l.holder {
		return nil
	}
	err = leases.Delete(ctx, leaseName, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{
		UID: &lease.UID, ResourceVersion: &lease.ResourceVersion,
	}})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("releasing lease %s/%s: %w", l.namespace, leaseName, err)
	}
	return nil
}

// lease is the Lease as we want it; old carries the version that it replaces.
func (l *lock) lease(old *coordinationv1.Lease) *coordinationv1.Lease {
	now := metav1.NowMicro()
	seconds := int32(leaseDuration / time.Second)
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: leaseName, Namespace: l.namespace}}
	if old != nil {
		lease = old.DeepCopy()
	}
	if holderOf(lease) != l.holder {
		lease.Spec.AcquireTime = &now
	}
	lease.Labels = map[string]string{LabelRun: l.holder}
	lease.Spec.HolderIdentity = &l.holder
	lease.Spec.LeaseDurationSeconds = &seconds
	lease.Spec.RenewTime = &now
	return lease
}

func holderOf(lease *coordinationv1.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}
