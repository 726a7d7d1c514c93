package objects

import "strings"

// podTemplates says where kinds have a PodSpec and the metadata of its pods.
func podTemplates() map[string]struct{ spec, metadata string } {
	template := struct{ spec, metadata string }{"spec.template.spec", "spec.template.metadata"}
	return map[string]struct{ spec, metadata string }{
		"Pod":                   {"spec", "metadata"},
		"PodTemplate":           {"template.spec", "template.metadata"},
		"ReplicationController": template,
		"Deployment.apps":       template,
		"ReplicaSet.apps":       template,
		"StatefulSet.apps":      template,
		"DaemonSet.apps":        template,
		"Job.batch":             template,
		"CronJob.batch":         {"spec.jobTemplate.spec.template.spec", "spec.jobTemplate.spec.template.metadata"},
	}
}

// podKinds are all kinds with a PodSpec, podTemplateKinds those that make pods of it.
func podKinds() []string { return append([]string{"Pod"}, podTemplateKinds()...) }

func podTemplateKinds() []string {
	return []string{
		"PodTemplate", "ReplicationController", "Deployment.apps", "ReplicaSet.apps", "StatefulSet.apps", "DaemonSet.apps", "Job.batch", "CronJob.batch",
	}
}

// expand fills in where a kind has its PodSpec; ok is false for a kind that
// has none.
func expand(path, kind string) (expanded string, ok bool) {
	if !strings.HasPrefix(path, "{pod") {
		return path, true
	}
	at, ok := podTemplates()[kind]
	if !ok {
		return "", false
	}
	return strings.NewReplacer("{pod}", at.spec, "{podMetadata}", at.metadata).Replace(path), true
}
