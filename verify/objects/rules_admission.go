package objects

// podAdmissionRules are about what admission plugins put into a pod that does
// not say it itself. A pod that was taken from a cluster has all of it; one of
// a manifest has not.
func podAdmissionRules() []Rule {
	pod := []string{"Pod"}
	added := []string{Extra}
	rules := []Rule{
		{
			Name: "default tolerations", Kinds: pod, Path: "spec.tolerations[*]", What: added, When: defaultToleration,
			Why: "pods tolerate a node that is not ready or unreachable for some minutes", Source: sourceAdmission + "defaulttolerationseconds/admission.go",
		},
		{
			Name: "priority", Kinds: pod, Path: "spec.priority", What: added, When: noPriority,
			Why: "it is looked up in the PriorityClass", Source: sourceAdmission + "priority/admission.go",
		},
		{
			Name: "priority", Kinds: pod, Path: "spec.preemptionPolicy", What: added, When: noPriority,
			Why: "it is looked up in the PriorityClass", Source: sourceAdmission + "priority/admission.go",
		},
		{
			Name: "priority", Kinds: pod, Path: "spec.priorityClassName", What: added, When: noPriority,
			Why: "there is a PriorityClass for pods that name none", Source: sourceAdmission + "priority/admission.go",
		},
		{
			Name: "service account", Kinds: pod, Path: "spec.serviceAccountName", What: added, When: func(c Case) bool { return c.Found == "default" },
			Why: "pods that name none get the ServiceAccount default", Source: sourceAdmission + "serviceaccount/admission.go",
		},
		{
			Name: "service account", Kinds: pod, Path: "spec.imagePullSecrets[*]", What: added, When: noPullSecrets,
			Why: "pods that name none get those of their ServiceAccount", Source: sourceAdmission + "serviceaccount/admission.go",
		},
		{
			Name: "limit range", Kinds: pod, Path: "metadata.annotations[kubernetes.io/limit-ranger]", What: bothWays(),
			Why: "it says what a LimitRange has filled in at creation", Source: sourceAdmission + "limitranger/admission.go",
		},
		{
			Name: "runtime class", Kinds: pod, Path: "spec.overhead", What: added,
			Why: "it is looked up in the RuntimeClass", Source: sourceAdmission + "runtimeclass/admission.go",
		},
	}
	for _, list := range []string{"containers", "initContainers"} {
		for _, sort := range []string{"limits", "requests"} {
			rules = append(rules, Rule{
				Name: "limit range", Kinds: pod, Path: "spec." + list + "[*].resources." + sort + "[*]", What: added, When: limitRange,
				Why: "the LimitRange of the namespace fills in what a container does not say", Source: sourceAdmission + "limitranger/admission.go",
			})
		}
	}
	return rules
}

func defaultToleration(c Case) bool {
	toleration, _ := c.Found.(map[string]any)
	key := textOf(toleration["key"])
	_, limited := numberOf(toleration["tolerationSeconds"])
	return (key == "node.kubernetes.io/not-ready" || key == "node.kubernetes.io/unreachable") &&
		toleration["effect"] == "NoExecute" && toleration["operator"] == "Exists" && limited
}

// noPriority says that the pod has not been through admission: any other has
// a priority.
func noPriority(c Case) bool {
	spec, _ := c.WantedObject.Object["spec"].(map[string]any)
	return spec["priority"] == nil
}

func noPullSecrets(c Case) bool {
	spec, _ := c.WantedObject.Object["spec"].(map[string]any)
	return empty(spec["imagePullSecrets"], &shape{})
}

// limitRange says that a LimitRange has filled in something.
func limitRange(c Case) bool {
	return annotation(c.FoundObject, "kubernetes.io/limit-ranger") != ""
}
