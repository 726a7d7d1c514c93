package run

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/refusal"
)

func heldLease(holder string) *coordinationv1.Lease {
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "gameday", Name: leaseName, ResourceVersion: "1"},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder},
	}
}

func TestAFreeLockIsTakenAndReleased(t *testing.T) {
	client := fake.NewClientset()
	mine := &lock{client: client, holder: "run-1"}
	if err := mine.acquire(t.Context(), func(string) { t.Error("waited for nobody") }); err != nil {
		t.Fatal(err)
	}
	lease, err := client.CoordinationV1().Leases("gameday").Get(t.Context(), leaseName, metav1.GetOptions{})
	if err != nil || holderOf(lease) != "run-1" || lease.Labels[experiments.LabelRun] != "run-1" {
		t.Fatalf("lease %+v, error %v", lease, err)
	}
	if err := mine.release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoordinationV1().Leases("gameday").Get(t.Context(), leaseName, metav1.GetOptions{}); err == nil {
		t.Error("the lease is still there")
	}
}

func TestALockWhoseHolderRenewsIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(heldLease("run-1"))
		go func() { // the holder, alive
			time.Sleep(renewEvery)
			renewed := heldLease("run-1")
			renewed.ResourceVersion = "2"
			_, _ = client.CoordinationV1().Leases("gameday").Update(context.Background(), renewed, metav1.UpdateOptions{})
		}()
		waited := ""
		err := (&lock{client: client, holder: "run-2"}).acquire(t.Context(), func(holder string) { waited = holder })
		refused, ok := refusal.As(err)
		if !ok || !strings.Contains(refused.Reason, "run-1") {
			t.Fatalf("error %v, want a refusal that names run-1", err)
		}
		if waited != "run-1" {
			t.Errorf("said to wait for %q", waited)
		}
	})
}

func TestALockWhoseHolderIsDeadIsTakenAfterTheLeaseDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(heldLease("run-1"))
		began := time.Now()
		if err := (&lock{client: client, holder: "run-2"}).acquire(t.Context(), func(string) {}); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited < leaseDuration {
			t.Errorf("took the lease after %s, before it could be known that its holder is dead", waited)
		}
	})
}

func TestWaitingForALockEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(heldLease("run-1"))
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			time.Sleep(time.Second)
			cancel(ErrInterrupted)
		}()
		err := (&lock{client: client, holder: "run-2"}).acquire(ctx, func(string) {})
		if !errors.Is(err, ErrInterrupted) {
			t.Errorf("error %v, want %v", err, ErrInterrupted)
		}
	})
}

func TestALockThatAnotherTookIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(heldLease("run-2"))
		err := (&lock{client: client, holder: "run-1"}).keep(t.Context())
		if !errors.Is(err, errLockLost) {
			t.Errorf("error %v, want %v", err, errLockLost)
		}
	})
}

func TestReleasingLeavesAnothersLockAlone(t *testing.T) {
	client := fake.NewClientset(heldLease("run-2"))
	if err := (&lock{client: client, holder: "run-1"}).release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoordinationV1().Leases("gameday").Get(t.Context(), leaseName, metav1.GetOptions{}); err != nil {
		t.Errorf("the lease of run-2 is gone: %v", err)
	}
}

func TestALockThatCannotBeRenewedIsLostBeforeAnotherMayTakeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(heldLease("run-1"))
		began := time.Now()
		client.PrependReactor("*", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
			return time.Since(began) > 12*time.Second, nil, errors.New("connection refused")
		})
		err := (&lock{client: client, holder: "run-1"}).keep(t.Context())
		if !errors.Is(err, errLockLost) || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("error %v, want %v and why", err, errLockLost)
		}
		lastRenewal := 10 * time.Second
		if lost := time.Since(began); lost <= 12*time.Second || lost >= lastRenewal+leaseDuration {
			t.Errorf("lost after %s, another may take it after %s", lost, lastRenewal+leaseDuration)
		}
	})
}

func TestALockIsKeptUntilTheKeepingIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(heldLease("run-1"))
		mine := &lock{client: client, holder: "run-1"}
		ctx, interrupt := context.WithCancelCause(t.Context())
		stop := keepLock(ctx, mine, func(err error) { t.Errorf("lost: %v", err) })
		interrupt(ErrInterrupted) // the undo needs the lock too
		time.Sleep(2 * leaseDuration)
		lease, err := client.CoordinationV1().Leases("gameday").Get(t.Context(), leaseName, metav1.GetOptions{})
		if err != nil || lease.Spec.RenewTime == nil || time.Since(lease.Spec.RenewTime.Time) > renewEvery {
			t.Errorf("lease %+v, error %v, want one renewed just now", lease, err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestARunOfTheSameNameIsAnotherRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(heldLease("run-1"))
		began := time.Now()
		if err := (&lock{client: client, holder: "run-1"}).acquire(t.Context(), func(string) {}); err != nil {
			t.Fatal(err)
		}
		if time.Since(began) < leaseDuration {
			t.Error("took the lease of another run because it has the same name")
		}
	})
}
