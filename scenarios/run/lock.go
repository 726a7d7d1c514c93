package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
)

const (
	leaseName = "gameday"
	// leaseDuration is how long a Lease outlives its last renewal. It is also
	// how long one waits before taking a dead run's Lease.
	leaseDuration = 30 * time.Second
	renewEvery    = 5 * time.Second
	// lookEvery is how often one who waits looks whether the holder is alive.
	lookEvery = time.Second
)

var errLockLost = errors.New("the lock was lost: another run took the Lease, or it could not be renewed")

// lock is the Lease that lets one run at a time touch a cluster.
type lock struct {
	client kubernetes.Interface
	holder string
}

// acquire takes the Lease. A Lease that somebody holds is looked at until it is
// renewed (alive: refused) or has not been for a whole lease duration (dead:
// taken). Clocks of two machines are never compared.
func (l *lock) acquire(ctx context.Context, waiting func(holder string)) error {
	leases := l.client.CoordinationV1().Leases(Namespace)
	for {
		lease, err := leases.Get(ctx, leaseName, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			_, err = leases.Create(ctx, l.lease(nil), metav1.CreateOptions{})
			if apierrors.IsAlreadyExists(err) {
				continue // somebody was quicker
			}
			if err != nil {
				return fmt.Errorf("creating lease %s/%s: %w", Namespace, leaseName, err)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading lease %s/%s: %w", Namespace, leaseName, err)
		}
		// A holder of our own name is another too: ids are random, not unique.
		if held := holderOf(lease); held != "" {
			waiting(held)
			alive, err := l.renewedSoon(ctx, lease)
			if err != nil {
				return err
			}
			if alive {
				return refusal.New(
					fmt.Sprintf("wait for run %s to end, or interrupt it where it runs", held),
					"lock held: run %s is at work on this cluster (lease %s/%s)", held, Namespace, leaseName)
			}
		}
		_, err = leases.Update(ctx, l.lease(lease), metav1.UpdateOptions{})
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("taking lease %s/%s: %w", Namespace, leaseName, err)
		}
		return nil
	}
}

// renewedSoon looks at a held Lease for one lease duration and says whether its
// holder renewed it. A Lease that is released or deleted is not alive. It asks
// again and again instead of watching: a watch from the version of a Lease that
// died long ago is refused as too old, and one without a version may begin with
// a state from before ours; a plain read is never stale.
func (l *lock) renewedSoon(ctx context.Context, lease *coordinationv1.Lease) (bool, error) {
	for since := time.Now(); time.Since(since) < leaseDuration; {
		if err := kube.Pause(ctx, lookEvery); err != nil {
			return false, err
		}
		now, err := l.client.CoordinationV1().Leases(Namespace).Get(ctx, leaseName, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return false, nil
		case err != nil:
			return false, fmt.Errorf("reading lease %s/%s: %w", Namespace, leaseName, err)
		case now.ResourceVersion != lease.ResourceVersion:
			return holderOf(now) != "", nil
		}
	}
	return false, nil
}

// keep renews the Lease until ctx ends and returns nil, or returns errLockLost
// when it is certain, or may be by now, that the lock is no longer ours: before
// anybody who began to wait at our last renewal may take it.
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
		began, until := time.Now(), renewed.Add(leaseDuration-renewEvery)
		err := l.renew(ctx, until)
		switch {
		case err == nil:
			renewed = began // the server's renewal is no older
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errLockLost):
			return err
		case !time.Now().Before(until):
			return fmt.Errorf("%w: %w", errLockLost, err)
		}
	}
}

func (l *lock) renew(ctx context.Context, until time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, renewEvery)
	defer cancel()
	leases := l.client.CoordinationV1().Leases(Namespace)
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
	leases := l.client.CoordinationV1().Leases(Namespace)
	lease, err := leases.Get(ctx, leaseName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("releasing lease %s/%s: %w", Namespace, leaseName, err)
	}
	if holderOf(lease) != l.holder {
		return nil
	}
	err = leases.Delete(ctx, leaseName, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{
		UID: &lease.UID, ResourceVersion: &lease.ResourceVersion,
	}})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("releasing lease %s/%s: %w", Namespace, leaseName, err)
	}
	return nil
}

// lease is the Lease as we want it; old carries the version that it replaces.
func (l *lock) lease(old *coordinationv1.Lease) *coordinationv1.Lease {
	now := metav1.NowMicro()
	seconds := int32(leaseDuration / time.Second)
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: leaseName, Namespace: Namespace}}
	if old != nil {
		lease = old.DeepCopy()
	}
	if holderOf(lease) != l.holder {
		lease.Spec.AcquireTime = &now
	}
	lease.Labels = map[string]string{experiments.LabelRun: l.holder}
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
