package velero

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"

	"gameday.dev/gameday/experiments"
)

// A restore that is not whole for want of a volume says which claim has none, and why.
func TestClaimsWithoutAVolumeSayWhy(t *testing.T) {
	claim := func(phase corev1.PersistentVolumeClaimPhase) *corev1.PersistentVolumeClaim {
		return &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Namespace: "drill", Name: "data"},
			Spec:       corev1.PersistentVolumeClaimSpec{DataSourceRef: &corev1.TypedObjectReference{Kind: "VolumeSnapshot", Name: "snap"}},
			Status:     corev1.PersistentVolumeClaimStatus{Phase: phase},
		}
	}
	event := func(name, kind, reason, message string, minute int) *corev1.Event {
		return &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Namespace: "drill", Name: name}, Type: kind, Reason: reason, Message: message,
			InvolvedObject: corev1.ObjectReference{Kind: "PersistentVolumeClaim", Namespace: "drill", Name: "data"},
			LastTimestamp:  metav1.NewTime(time.Date(2026, 5, 12, 2, minute, 0, 0, time.UTC)),
		}
	}
	early := event("a", corev1.EventTypeWarning, "ProvisioningFailed", "no such snapshot", 1)
	late := event("b", corev1.EventTypeWarning, "ProvisioningFailed", "snapshot snap\n is not Ready", 3)
	waits := event("c", corev1.EventTypeNormal, "ExternalProvisioning", "waiting for a volume", 4)
	pod := event("d", corev1.EventTypeNormal, "WaitForFirstConsumer", "waiting for first consumer", 5)
	gated := event("e", corev1.EventTypeNormal, "WaitForPodScheduled", "waiting for pod db-0 to be scheduled", 5)
	others := event("f", corev1.EventTypeWarning, "ProvisioningFailed", "no room", 6)
	others.InvolvedObject.Name = "other"
	broken := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "metadata": map[string]any{"namespace": "drill", "name": "snap"},
		"status": map[string]any{"error": map[string]any{"message": "can not find snapshot 4711"}},
	}}
	for name, test := range map[string]struct {
		typed   []runtime.Object
		dynamic []runtime.Object
		want    []string
	}{
		"bound":           {[]runtime.Object{claim(corev1.ClaimBound), late}, nil, nil},
		"nothing is said": {[]runtime.Object{claim(corev1.ClaimPending)}, nil, []string{"claim data of the copy has no volume"}},
		"lost":            {[]runtime.Object{claim(corev1.ClaimLost)}, nil, []string{"the volume of claim data of the copy is gone"}},
		"of another":      {[]runtime.Object{claim(corev1.ClaimPending), late, others}, nil, []string{"claim data of the copy has no volume; snapshot snap is not Ready"}},
		"a snapshot that is gone": {[]runtime.Object{claim(corev1.ClaimPending), early, late, waits}, []runtime.Object{broken},
			[]string{"claim data of the copy has no volume; can not find snapshot 4711; snapshot snap is not Ready"}},
		"nobody who makes it": {[]runtime.Object{claim(corev1.ClaimPending), waits}, nil, []string{"claim data of the copy has no volume; waiting for a volume"}},
		"without a pod":       {[]runtime.Object{claim(corev1.ClaimPending), pod}, nil, nil},
		"held back":           {[]runtime.Object{claim(corev1.ClaimPending), gated}, nil, nil},
		"without a pod and without its snapshot": {[]runtime.Object{claim(corev1.ClaimPending), pod}, []runtime.Object{broken},
			[]string{"claim data of the copy has no volume; can not find snapshot 4711; waiting for first consumer"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := &climb{plan: restorePlan{Into: "drill"}, env: experiments.Env{
				Client: fake.NewClientset(test.typed...), Dynamic: dynamicfake.NewSimpleDynamicClient(runtime.NewScheme(), test.dynamic...),
			}}
			if got := c.unbound(t.Context()); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// An interrupted run is not held up by it.
func TestInterruptedNobodyAsksForClaims(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted"))
	client := fake.NewClientset()
	c := &climb{plan: restorePlan{Into: "drill"}, env: experiments.Env{Client: client}}
	if lines := c.unbound(ctx); len(lines) > 0 || len(client.Actions()) > 0 {
		t.Errorf("said %q, asked for %v", lines, client.Actions())
	}
}
