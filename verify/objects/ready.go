package objects

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Ready says whether an object does what it was declared for, and if not what
// is waited for, in the words of kubectl rollout status
// (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go) where that knows
// the kind. Kinds that have nothing to wait for are always ready. A workload
// scaled to zero is ready, and so is a Job that is at work.
func Ready(o *unstructured.Unstructured) (ready bool, why string) {
	s := stateOf(o)
	switch (Resource{Group: o.GroupVersionKind().Group, Kind: o.GetKind()}).kindName() {
	case "Deployment.apps":
		why = s.deployment()
	case "StatefulSet.apps":
		why = s.statefulSet()
	case "DaemonSet.apps":
		why = s.daemonSet()
	case "ReplicaSet.apps", "ReplicationController":
		why = s.replicaSet()
	case "Job.batch":
		why = s.job()
	case "Pod":
		why = s.pod()
	case "PersistentVolumeClaim":
		if phase := textOf(s.status["phase"]); phase != "Bound" {
			why = fmt.Sprintf("phase %s, not Bound", orNone(phase))
		}
	}
	return why == "", why
}

// state is a workload taken apart.
type state struct {
	spec, status map[string]any
	generation   int64
}

func stateOf(o *unstructured.Unstructured) state {
	spec, _ := o.Object["spec"].(map[string]any)
	status, _ := o.Object["status"].(map[string]any)
	return state{spec: spec, status: status, generation: o.GetGeneration()}
}

// count reads a whole number of the status; absent is 0.
func (s state) count(name string) int64 { return wholeOf(s.status[name], 0) }

// replicas are those asked for; absent is 1, as the API has it.
func (s state) replicas() int64 { return wholeOf(s.spec["replicas"], 1) }

func (s state) observed() bool { return s.count("observedGeneration") >= s.generation }

func (s state) deployment() string {
	updated, replicas, available := s.count("updatedReplicas"), s.count("replicas"), s.count("availableReplicas")
	switch {
	case !s.observed():
		return "waiting for deployment spec update to be observed"
	case textOf(s.condition("Progressing")["reason"]) == "ProgressDeadlineExceeded":
		return "exceeded its progress deadline"
	case updated < s.replicas():
		return fmt.Sprintf("%d out of %d new replicas have been updated", updated, s.replicas())
	case replicas > updated:
		return fmt.Sprintf("%d old replicas are pending termination", replicas-updated)
	case available < updated:
		return fmt.Sprintf("%d of %d updated replicas are available", available, updated)
	}
	return ""
}

func (s state) statefulSet() string {
	switch {
	case s.count("observedGeneration") == 0 || !s.observed():
		return "waiting for statefulset spec update to be observed"
	case s.count("readyReplicas") < s.replicas():
		return fmt.Sprintf("waiting for %d pods to be ready", s.replicas()-s.count("readyReplicas"))
	}
	strategy, _ := s.spec["updateStrategy"].(map[string]any)
	if kind := textOf(strategy["type"]); kind != "" && kind != "RollingUpdate" {
		return ""
	}
	rolling, _ := strategy["rollingUpdate"].(map[string]any)
	wanted := s.replicas() - wholeOf(rolling["partition"], 0)
	switch updated := s.count("updatedReplicas"); {
	case wanted < s.replicas():
		if updated < wanted {
			return fmt.Sprintf("%d out of %d new pods have been updated", updated, wanted)
		}
	case textOf(s.status["updateRevision"]) != textOf(s.status["currentRevision"]):
		return fmt.Sprintf("waiting for statefulset rolling update to complete %d pods at revision %s", updated, textOf(s.status["updateRevision"]))
	}
	return ""
}

func (s state) daemonSet() string {
	desired, updated, available := s.count("desiredNumberScheduled"), s.count("updatedNumberScheduled"), s.count("numberAvailable")
	strategy, _ := s.spec["updateStrategy"].(map[string]any)
	switch {
	case s.count("observedGeneration") == 0 || !s.observed():
		return "waiting for daemon set spec update to be observed"
	case updated < desired && textOf(strategy["type"]) != "OnDelete":
		return fmt.Sprintf("%d out of %d new pods have been updated", updated, desired)
	case available < desired:
		return fmt.Sprintf("%d of %d updated pods are available", available, desired)
	}
	return ""
}

func (s state) replicaSet() string {
	switch available := s.count("availableReplicas"); {
	case s.count("observedGeneration") == 0 || !s.observed():
		return "waiting for its spec update to be observed"
	case available < s.replicas():
		return fmt.Sprintf("%d of %d replicas are available", available, s.replicas())
	}
	return ""
}

// job is ready when it is complete, suspended, or at work: all its pods that are
// not over are Ready, and none has failed.
func (s state) job() string {
	suspended, _ := s.spec["suspend"].(bool)
	failed := s.condition("Failed")
	done := fmt.Sprintf("%d of %d completions", s.count("succeeded"), wholeOf(s.spec["completions"], 1))
	switch active, ready := s.count("active"), s.count("ready"); {
	case textOf(failed["status"]) == "True":
		return "failed: " + orNone(textOf(failed["reason"]))
	case textOf(s.condition("Complete")["status"]) == "True", suspended:
		return ""
	case s.count("failed") > 0:
		return fmt.Sprintf("%s, and %d of its pods failed", done, s.count("failed"))
	case active == 0:
		return done + ", and no pod at work"
	case ready < active:
		return fmt.Sprintf("%s, and %d of %d pods are ready", done, ready, active)
	}
	return ""
}

func (s state) pod() string {
	phase := textOf(s.status["phase"])
	switch {
	case phase == "Succeeded":
		return ""
	case phase != "Running":
		return "phase " + orNone(phase) + s.heldBy()
	}
	if ready := s.condition("Ready"); textOf(ready["status"]) != "True" {
		return "not Ready: " + orNone(textOf(ready["reason"])) + s.heldBy()
	}
	return ""
}

// heldBy says what a pod waits for: a node, or the first of its containers that is
// not where it should be. It is empty when the pod does not say.
func (s state) heldBy() string {
	if scheduled := s.condition("PodScheduled"); textOf(scheduled["status"]) == "False" {
		return ": " + orNone(textOf(scheduled["reason"]))
	}
	for _, containers := range [...]struct{ field, what string }{{"initContainerStatuses", "init container"}, {"containerStatuses", "container"}} {
		all, _ := s.status[containers.field].([]any)
		for _, one := range all {
			if status, _ := one.(map[string]any); status != nil && status["ready"] != true { // an init container is ready when it has ended well
				return fmt.Sprintf(": %s %s %s", containers.what, textOf(status["name"]), containerState(status))
			}
		}
	}
	return ""
}

// containerState says where a container is. Messages are left out: they may quote
// what it printed.
func containerState(status map[string]any) string {
	state, _ := status["state"].(map[string]any)
	waiting, _ := state["waiting"].(map[string]any)
	terminated, _ := state["terminated"].(map[string]any)
	switch {
	case waiting != nil:
		return "waits: " + orNone(textOf(waiting["reason"]))
	case terminated != nil:
		return fmt.Sprintf("has ended: %s, exit code %d", orNone(textOf(terminated["reason"])), wholeOf(terminated["exitCode"], 0))
	case state["running"] != nil:
		return "is running and not ready"
	}
	return "has not begun"
}

// condition gives a condition of the status; nil when there is none.
func (s state) condition(name string) map[string]any {
	all, _ := s.status["conditions"].([]any)
	for _, one := range all {
		if condition, ok := one.(map[string]any); ok && textOf(condition["type"]) == name {
			return condition
		}
	}
	return nil
}

func wholeOf(value any, absent int64) int64 {
	if n, ok := numberOf(value); ok && n.isWhole {
		return n.whole
	}
	return absent
}

func orNone(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}
