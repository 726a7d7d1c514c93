package objects

import "testing"

func TestReady(t *testing.T) {
	deployment := func(generation, rest string) string {
		return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: x, generation: " + generation + "}, " + rest + "}"
	}
	tests := []struct{ object, why string }{
		{deployment("2", "spec: {replicas: 3}, status: {observedGeneration: 1}"), "waiting for deployment spec update to be observed"},
		{deployment("2", "spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 3, updatedReplicas: 1}"), "1 out of 3 new replicas have been updated"},
		{deployment("2", "spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 4, updatedReplicas: 3}"), "1 old replicas are pending termination"},
		{deployment("2", "spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 2}"), "2 of 3 updated replicas are available"},
		{deployment("2", "spec: {replicas: 3}, status: {observedGeneration: 2, conditions: [{type: Progressing, reason: ProgressDeadlineExceeded}]}"), "exceeded its progress deadline"},
		{deployment("2", "spec: {replicas: 3}, status: {observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3}"), ""},
		{deployment("1", "spec: {replicas: 0}, status: {observedGeneration: 1}"), ""},
		{deployment("1", "spec: {}, status: {observedGeneration: 1}"), "0 out of 1 new replicas have been updated"},
		{"{apiVersion: apps/v1, kind: StatefulSet, metadata: {generation: 1}, spec: {replicas: 2}}", "waiting for statefulset spec update to be observed"},
		{"{apiVersion: apps/v1, kind: StatefulSet, metadata: {generation: 1}, spec: {replicas: 2}, status: {observedGeneration: 1, readyReplicas: 1}}", "waiting for 1 pods to be ready"},
		{"{apiVersion: apps/v1, kind: StatefulSet, metadata: {generation: 1}, spec: {replicas: 2}, status: {observedGeneration: 1, readyReplicas: 2, updatedReplicas: 1, currentRevision: a, updateRevision: b}}", "waiting for statefulset rolling update to complete 1 pods at revision b"},
		{"{apiVersion: apps/v1, kind: StatefulSet, metadata: {generation: 1}, spec: {replicas: 3, updateStrategy: {rollingUpdate: {partition: 1}}}, status: {observedGeneration: 1, readyReplicas: 3, updatedReplicas: 1, currentRevision: a, updateRevision: b}}", "1 out of 2 new pods have been updated"},
		{"{apiVersion: apps/v1, kind: StatefulSet, metadata: {generation: 1}, spec: {replicas: 3, updateStrategy: {rollingUpdate: {partition: 1}}}, status: {observedGeneration: 1, readyReplicas: 3, updatedReplicas: 2, currentRevision: a, updateRevision: b}}", ""},
		{"{apiVersion: apps/v1, kind: StatefulSet, metadata: {generation: 1}, spec: {replicas: 2, updateStrategy: {type: OnDelete}}, status: {observedGeneration: 1, readyReplicas: 2, currentRevision: a, updateRevision: b}}", ""},
		{"{apiVersion: apps/v1, kind: DaemonSet, metadata: {generation: 1}}", "waiting for daemon set spec update to be observed"},
		{"{apiVersion: apps/v1, kind: DaemonSet, metadata: {generation: 1}, status: {observedGeneration: 1, desiredNumberScheduled: 3, updatedNumberScheduled: 2}}", "2 out of 3 new pods have been updated"},
		{"{apiVersion: apps/v1, kind: DaemonSet, metadata: {generation: 1}, status: {observedGeneration: 1, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 1}}", "1 of 3 updated pods are available"},
		{"{apiVersion: apps/v1, kind: DaemonSet, metadata: {generation: 1}, status: {observedGeneration: 1}}", ""},
		{"{apiVersion: apps/v1, kind: ReplicaSet, metadata: {generation: 1}, spec: {replicas: 2}, status: {observedGeneration: 1, availableReplicas: 1}}", "1 of 2 replicas are available"},
		{"{apiVersion: apps/v1, kind: ReplicaSet, metadata: {generation: 2}, spec: {replicas: 2}, status: {observedGeneration: 1, availableReplicas: 2}}", "waiting for its spec update to be observed"},
		{"{apiVersion: batch/v1, kind: Job, spec: {completions: 3}, status: {succeeded: 1}}", "1 of 3 completions, and no pod at work"},
		{"{apiVersion: batch/v1, kind: Job, spec: {completions: 3}, status: {succeeded: 1, active: 2, ready: 1}}", "1 of 3 completions, and 1 of 2 pods are ready"},
		{"{apiVersion: batch/v1, kind: Job, status: {active: 1, ready: 1, failed: 2}}", "0 of 1 completions, and 2 of its pods failed"},
		{"{apiVersion: batch/v1, kind: Job, status: {active: 2, ready: 2}}", ""},
		{"{apiVersion: batch/v1, kind: Job, spec: {completions: 3, suspend: true}}", ""},
		{"{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Complete, status: 'True'}]}}", ""},
		{"{apiVersion: batch/v1, kind: Job, status: {conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded}]}}", "failed: BackoffLimitExceeded"},
		{"{apiVersion: v1, kind: Pod, status: {phase: Pending}}", "phase Pending"},
		{"{apiVersion: v1, kind: Pod}", "phase unknown"},
		{"{apiVersion: v1, kind: Pod, status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable}]}}", "phase Pending: Unschedulable"},
		{"{apiVersion: v1, kind: Pod, status: {phase: Pending, initContainerStatuses: [{name: done, ready: true}, {name: hold, ready: false, state: {running: {}}}], containerStatuses: [{name: web, state: {waiting: {reason: PodInitializing}}}]}}", "phase Pending: init container hold is running and not ready"},
		{"{apiVersion: v1, kind: Pod, status: {phase: Pending, containerStatuses: [{name: web, state: {waiting: {reason: ImagePullBackOff, message: secret}}}]}}", "phase Pending: container web waits: ImagePullBackOff"},
		{"{apiVersion: v1, kind: Pod, status: {phase: Running, conditions: [{type: Ready, status: 'False', reason: ContainersNotReady}], containerStatuses: [{name: web, state: {}}]}}", "not Ready: ContainersNotReady: container web has not begun"},
		{"{apiVersion: v1, kind: Pod, status: {phase: Failed, containerStatuses: [{name: web, ready: false, state: {terminated: {reason: Error, exitCode: 3}}}]}}", "phase Failed: container web has ended: Error, exit code 3"},
		{"{apiVersion: v1, kind: Pod, status: {phase: Running, conditions: [{type: Ready, status: 'False', reason: ContainersNotReady}]}}", "not Ready: ContainersNotReady"},
		{"{apiVersion: v1, kind: Pod, status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}}", ""},
		{"{apiVersion: v1, kind: Pod, status: {phase: Succeeded}}", ""},
		{"{apiVersion: v1, kind: PersistentVolumeClaim, status: {phase: Pending}}", "phase Pending, not Bound"},
		{"{apiVersion: v1, kind: PersistentVolumeClaim, status: {phase: Bound}}", ""},
		{"{apiVersion: v1, kind: ConfigMap}", ""},
		{"{apiVersion: example.org/v1, kind: Deployment}", ""},
	}
	for _, test := range tests {
		ready, why := Ready(parse(t, test.object))
		if ready != (test.why == "") || why != test.why {
			t.Errorf("%s\n%v: %q, want %q", test.object, ready, why, test.why)
		}
	}
}
