package objects

import "strings"

// podSpecOf says where a kind has a PodSpec, and the metadata of its pods;
// empty for kinds that have none.
func podSpecOf(kind string) (spec, metadata string) {
	switch kind {
	case "Pod":
		return "spec", "metadata"
	case "PodTemplate":
		return "template.spec", "template.metadata"
	case "ReplicationController", "Deployment.apps", "ReplicaSet.apps", "StatefulSet.apps", "DaemonSet.apps", "Job.batch":
		return "spec.template.spec", "spec.template.metadata"
	case "CronJob.batch":
		return "spec.jobTemplate.spec.template.spec", "spec.jobTemplate.spec.template.metadata"
	default:
		return "", ""
	}
}

// podKinds are all kinds with a PodSpec.
func podKinds() []string {
	return []string{
		"Pod", "PodTemplate", "ReplicationController", "Deployment.apps", "ReplicaSet.apps", "StatefulSet.apps", "DaemonSet.apps", "Job.batch", "CronJob.batch",
	}
}

// anyContainers is the step to any list of containers in a PodSpec.
const anyContainers = "{containers}"

// expand fills in where a kind has its PodSpec; ok is false for a kind that
// has none.
func expand(path, kind string) (expanded string, ok bool) {
	if !strings.HasPrefix(path, "{pod") {
		return path, true
	}
	spec, metadata := podSpecOf(kind)
	if below, is := strings.CutPrefix(path, "{podContainer}"); is {
		return spec + "." + anyContainers + "[*]" + below, spec != ""
	}
	if below, is := strings.CutPrefix(path, "{podMetadata}"); is {
		return metadata + below, metadata != ""
	}
	return spec + strings.TrimPrefix(path, "{pod}"), spec != ""
}
