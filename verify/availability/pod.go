package availability

import (
	"time"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// slimPod is what is kept of a pod: under 200 bytes with its strings, where a
// whole pod takes ten thousand. Names of nodes and UIDs of owners are shared.
type slimPod struct {
	// version is compared with itself only: the same version is the same pod,
	// unchanged.
	uid, name, version string
	node, owner        unique.Handle[string]
	// readySince is the API's transition time, in its whole seconds.
	readySince int64
	restarts   int32
	ready      bool
	deleting   bool
}

// seenPod is a slimPod with the evidence that came along with it. Evidence is
// looked at when the pod is lost and not kept.
type seenPod struct {
	slimPod
	why *evidence
}

// evidence is what a pod that isn't Ready says about why.
type evidence struct {
	phase, readyReason, disruption string
	exit                           *exit
	// restarted is set when the exit lies behind a restart: it explains this
	// loss only if the restart came with it.
	restarted bool
}

func reducePod(object runtime.Object) (seenPod, bool) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return seenPod{}, false
	}
	seen := seenPod{slimPod: slimPod{
		uid: string(pod.UID), name: pod.Name, version: pod.ResourceVersion,
		node:     unique.Make(pod.Spec.NodeName),
		deleting: pod.DeletionTimestamp != nil,
	}}
	if owner := metav1.GetControllerOfNoCopy(pod); owner != nil {
		seen.owner = unique.Make(string(owner.UID))
	} else {
		seen.owner = unique.Make("")
	}
	var why evidence
	for i := range pod.Status.Conditions {
		switch condition := &pod.Status.Conditions[i]; condition.Type {
		case corev1.PodReady:
			seen.ready = condition.Status == corev1.ConditionTrue
			seen.readySince = condition.LastTransitionTime.Unix()
			why.readyReason = condition.Reason
		case corev1.DisruptionTarget:
			if condition.Status == corev1.ConditionTrue {
				why.disruption = condition.Reason
			}
		}
	}
	for i := range pod.Status.ContainerStatuses {
		seen.restarts += pod.Status.ContainerStatuses[i].RestartCount
	}
	if !seen.ready || seen.deleting {
		why.phase = endPhase(pod.Status.Phase)
		why.exit, why.restarted = lastExit(pod.Status.ContainerStatuses)
		seen.why = &why
	}
	return seen, true
}

// endPhase keeps only phases that a pod doesn't come back from.
func endPhase(phase corev1.PodPhase) string {
	if phase == corev1.PodFailed || phase == corev1.PodSucceeded {
		return string(phase)
	}
	return ""
}

// lastExit finds a container that has ended, else one that runs again after it did.
func lastExit(containers []corev1.ContainerStatus) (found *exit, restarted bool) {
	for i := range containers {
		container := &containers[i]
		if ended := container.State.Terminated; ended != nil {
			return newExit(container.Name, ended), false
		}
		if ended := container.LastTerminationState.Terminated; ended != nil && !container.Ready {
			found = newExit(container.Name, ended)
		}
	}
	return found, found != nil
}

func newExit(container string, ended *corev1.ContainerStateTerminated) *exit {
	return &exit{Container: container, Reason: ended.Reason, Code: int(ended.ExitCode)}
}

// change describes the pod as it is now.
func (p slimPod) change(available bool, why *evidence) podChange {
	change := podChange{
		Name: p.name, UID: p.uid, Node: p.node.Value(), Available: available, Terminating: p.deleting,
	}
	if p.readySince > 0 {
		change.ReadySince = time.Unix(p.readySince, 0).UTC()
	}
	if !available && why != nil {
		change.Phase, change.ReadyReason = why.phase, why.readyReason
		change.Disruption, change.Exit = why.disruption, why.exit
	}
	return change
}
