package velero

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"gameday.dev/gameday/internal/kube"
)

// unboundWithin is how long the cluster is asked after a restore that was not whole:
// the step's own time may be over.
const unboundWithin = 10 * time.Second

// unbound names the claims of the copy that have no volume, and what is said of that: by
// the snapshot that one comes from, and by whoever makes volumes. Velero waits for them
// before a restore ends (pkg/controller/restore_finalizer_controller.go), and its own
// reasons don't say what for. What can't be asked for is left out.
func (c *climb) unbound(ctx context.Context) []string {
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), unboundWithin)
	defer cancel()
	var lines []string
	_, _ = kube.Each(asking, c.env.Client.CoreV1().PersistentVolumeClaims(c.plan.Into), metav1.ListOptions{}, func(claim *corev1.PersistentVolumeClaim) error {
		if claim.Status.Phase == corev1.ClaimBound {
			return nil
		}
		last := c.lastEvent(asking, claim)
		if last.Reason == waitsForPod {
			return nil // nor does Velero wait for it
		}
		line := fmt.Sprintf("claim %s of the copy has no volume", claim.Name)
		for _, why := range []string{c.snapshotTrouble(asking, claim.Spec.DataSourceRef), last.Message} {
			if why != "" {
				line += "; " + strings.Join(strings.Fields(why), " ") // drivers quote programs that print lines
			}
		}
		lines = append(lines, line)
		return nil
	})
	return lines
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

// waitsForPod is the reason of the event that a claim without a pod gets whose class binds
// to the first consumer (kubernetes, pkg/controller/volume/events).
const waitsForPod = "WaitForFirstConsumer"

// lastEvent is the newest about a claim, of Warnings if there are any.
func (c *climb) lastEvent(ctx context.Context, claim *corev1.PersistentVolumeClaim) *corev1.Event {
	last := &corev1.Event{}
	of := fields.Set{"involvedObject.kind": "PersistentVolumeClaim", "involvedObject.name": claim.Name}
	_, _ = kube.Each(ctx, c.env.Client.CoreV1().Events(c.plan.Into), metav1.ListOptions{FieldSelector: of.String()}, func(event *corev1.Event) error {
		warns, warned := event.Type == corev1.EventTypeWarning, last.Type == corev1.EventTypeWarning
		if warns && !warned || warns == warned && !event.LastTimestamp.Before(&last.LastTimestamp) {
			last = event
		}
		return nil
	})
	return last
}
