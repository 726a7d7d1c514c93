package velero

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/kube"
)

// unboundWithin is how long the cluster is asked after a restore that was not whole:
// the step's own time may be over.
const unboundWithin = 10 * time.Second

// unbound names the claims of the copy that have no volume, and what is said of that: by
// the snapshot that one comes from, and by whoever makes volumes. Velero waits for most
// of them before a restore ends (pkg/controller/restore_finalizer_controller.go), and its
// own reasons don't say what for. What can't be asked for is left out.
func (c *climb) unbound(ctx context.Context) []string {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, backup.ErrTimeout) {
		return nil // nobody will read it
	}
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), unboundWithin)
	defer cancel()
	var lines []string
	_, _ = kube.Each(asking, c.env.Client.CoreV1().PersistentVolumeClaims(c.plan.Into), metav1.ListOptions{}, func(claim *corev1.PersistentVolumeClaim) error {
		if claim.Status.Phase != corev1.ClaimBound {
			lines = append(lines, c.whyUnbound(asking, claim)...)
		}
		return nil
	})
	return capped(lines)
}

// whyUnbound is one line, or none for a claim that is to wait.
func (c *climb) whyUnbound(ctx context.Context, claim *corev1.PersistentVolumeClaim) []string {
	line := fmt.Sprintf("claim %s of the copy has no volume", claim.Name)
	if claim.Status.Phase == corev1.ClaimLost {
		line = fmt.Sprintf("the volume of claim %s of the copy is gone", claim.Name)
	}
	trouble, last := c.snapshotTrouble(ctx, claim.Spec.DataSourceRef), c.lastEvent(ctx, claim)
	if trouble == "" && slices.Contains(waitsForPod(), last.Reason) {
		return nil
	}
	for _, why := range []string{trouble, last.Message} {
		if why != "" {
			line += "; " + strings.Join(strings.Fields(why), " ") // drivers quote programs that print lines
		}
	}
	return []string{line}
}

// snapshotTrouble is what its controller says of a VolumeSnapshot of the copy that
// can't be used.
func (c *climb) snapshotTrouble(ctx context.Context, source *corev1.TypedObjectReference) string {
	if source == nil || source.Kind != "VolumeSnapshot" {
		return ""
	}
	snapshots := c.env.Dynamic.Resource(schema.GroupVersionResource{Group: "snapshot.storage.k8s.io", Version: "v1", Resource: "volumesnapshots"})
	snapshot, err := snapshots.Namespace(c.plan.Into).Get(ctx, source.Name, metav1.GetOptions{})
	if err != nil {
		return ""
	}
	trouble, _, _ := unstructured.NestedString(snapshot.Object, "status", "error", "message")
	return trouble
}

// waitsForPod are the reasons of events of a claim whose class binds to the first
// consumer, and which has none that was scheduled (kubernetes, pkg/controller/volume/events).
func waitsForPod() []string { return []string{"WaitForFirstConsumer", "WaitForPodScheduled"} }

// lastEvent is the newest about a claim, of Warnings if there are any.
func (c *climb) lastEvent(ctx context.Context, claim *corev1.PersistentVolumeClaim) *corev1.Event {
	last := &corev1.Event{}
	of := fields.Set{"involvedObject.kind": "PersistentVolumeClaim", "involvedObject.name": claim.Name}
	_, _ = kube.Each(ctx, c.env.Client.CoreV1().Events(c.plan.Into), metav1.ListOptions{FieldSelector: of.String()}, func(event *corev1.Event) error {
		if event.InvolvedObject.Name != claim.Name {
			return nil
		}
		warns, warned := event.Type == corev1.EventTypeWarning, last.Type == corev1.EventTypeWarning
		if warns && !warned || warns == warned && !event.LastTimestamp.Before(&last.LastTimestamp) {
			last = event
		}
		return nil
	})
	return last
}
