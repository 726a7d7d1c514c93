package objects

import "slices"

func workloadDefaults() []Default {
	deployment, daemonSet, statefulSet := []string{"Deployment.apps"}, []string{"DaemonSet.apps"}, []string{"StatefulSet.apps"}
	return slices.Concat(
		fill(deployment, defaultsApps, "spec", map[string]any{
			"replicas": int64(1), "revisionHistoryLimit": int64(10), "progressDeadlineSeconds": int64(600), "strategy.type": "RollingUpdate",
		}),
		[]Default{{Kinds: deployment, Path: "spec.strategy.rollingUpdate", Value: object(), Of: rolling, Words: "{}, with type RollingUpdate", Source: defaultsApps}},
		fill(deployment, defaultsApps, "spec.strategy.rollingUpdate", map[string]any{"maxUnavailable": "25%", "maxSurge": "25%"}),
		fill(daemonSet, defaultsApps, "spec", map[string]any{"revisionHistoryLimit": int64(10), "updateStrategy.type": "RollingUpdate"}),
		[]Default{{Kinds: daemonSet, Path: "spec.updateStrategy.rollingUpdate", Value: object(), Of: rolling, Words: "{}, with type RollingUpdate", Source: defaultsApps}},
		fill(daemonSet, defaultsApps, "spec.updateStrategy.rollingUpdate", map[string]any{"maxUnavailable": int64(1), "maxSurge": int64(0)}),
		fill(statefulSet, defaultsApps, "spec", map[string]any{
			"replicas": int64(1), "revisionHistoryLimit": int64(10), "podManagementPolicy": "OrderedReady", "updateStrategy.type": "RollingUpdate",
			"persistentVolumeClaimRetentionPolicy": object(), "persistentVolumeClaimRetentionPolicy.whenDeleted": "Retain",
			"persistentVolumeClaimRetentionPolicy.whenScaled": "Retain",
		}),
		[]Default{{Kinds: statefulSet, Path: "spec.updateStrategy.rollingUpdate", Value: object(), Of: rolling, Words: "{}, with type RollingUpdate", Source: defaultsApps}},
		fill(statefulSet, defaultsApps, "spec.updateStrategy.rollingUpdate", map[string]any{"partition": int64(0), "maxUnavailable": int64(1)}),
		fill(statefulSet, defaultsCore, "spec.volumeClaimTemplates[*]", map[string]any{
			"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec.volumeMode": "Filesystem",
		}),
		fill([]string{"ReplicaSet.apps", "ReplicationController"}, defaultsApps, "spec", map[string]any{"replicas": int64(1)}),
		[]Default{
			{Kinds: []string{"ReplicationController"}, Path: "spec.selector", Of: templateLabels, Words: "the labels of the template", Source: defaultsCore},
			{Kinds: []string{"ReplicationController", "Job.batch"}, Path: "metadata.labels[*]", Of: templateLabel, Words: "the labels of the template, where there are none", Source: defaultsBatch},
		},
	)
}

func rolling(a Around) any {
	if a.In(1)["type"] == "RollingUpdate" {
		return object()
	}
	return nil
}

// templateLabels are those of the pod template.
func templateLabels(a Around) any {
	spec, _ := a.root()["spec"].(map[string]any)
	template, _ := spec["template"].(map[string]any)
	metadata, _ := template["metadata"].(map[string]any)
	return metadata["labels"]
}

// templateLabel is that of the pod template, when the side without this label
// has no labels at all.
func templateLabel(a Around) any {
	labels, _ := templateLabels(a).(map[string]any)
	for _, o := range a.w.about.objects() {
		metadata, _ := o.Object["metadata"].(map[string]any)
		if nothing(metadata["labels"]) {
			return labels[a.Name()]
		}
	}
	return nil
}

func batchDefaults() []Default {
	job, cronJob := []string{"Job.batch"}, []string{"CronJob.batch"}
	values := map[string]any{"parallelism": int64(1), "completionMode": "NonIndexed", "suspend": false, "manualSelector": false}
	return slices.Concat(
		fill(job, defaultsBatch, "spec", values),
		[]Default{
			{Kinds: job, Path: "spec.completions", Of: completions, Words: "1, when parallelism is 1", Source: defaultsBatch},
			{Kinds: job, Path: "spec.backoffLimit", Of: backoffLimit, Words: "6; 2147483647 with backoffLimitPerIndex", Source: defaultsBatch},
			{Kinds: job, Path: "spec.podReplacementPolicy", Of: replacement, Words: "TerminatingOrFailed; Failed with podFailurePolicy", Source: defaultsBatch},
			{Kinds: job, Path: "spec.podFailurePolicy.rules[*].onPodConditions[*].status", Value: "True", Source: defaultsBatch},
			{Kinds: cronJob, Path: "spec.jobTemplate.spec.podFailurePolicy.rules[*].onPodConditions[*].status", Value: "True", Source: defaultsBatch},
		},
		fill(cronJob, defaultsBatch, "spec", map[string]any{
			"concurrencyPolicy": "Allow", "suspend": false, "successfulJobsHistoryLimit": int64(3), "failedJobsHistoryLimit": int64(1),
		}),
	)
}

func completions(a Around) any {
	if n, ok := numberOf(a.In(1)["parallelism"]); ok && n.isWhole && n.whole == 1 {
		return int64(1)
	}
	return nil
}

func backoffLimit(a Around) any {
	if a.In(1)["backoffLimitPerIndex"] != nil {
		return int64(1<<31 - 1)
	}
	return int64(6)
}

func replacement(a Around) any {
	if a.In(1)["podFailurePolicy"] != nil {
		return "Failed"
	}
	return "TerminatingOrFailed"
}
