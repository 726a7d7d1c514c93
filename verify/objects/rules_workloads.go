package objects

func workloadRules() []Rule {
	rules := []Rule{
		{
			Name: "revision", Kinds: []string{"Deployment.apps", "ReplicaSet.apps"}, Path: "metadata.annotations[deployment.kubernetes.io/revision]", What: bothWays(),
			Why: "the Deployment controller numbers what it finds", Source: sourceController + "deployment/util/deployment_util.go",
		},
		{
			Name: "revision", Kinds: []string{"ControllerRevision.apps"}, Path: "revision", What: []string{Changed},
			Why: "the controller numbers what it finds", Source: sourceController + "history/controller_history.go",
		},
		{
			Name: "template generation", Kinds: []string{"DaemonSet.apps", "ControllerRevision.apps"},
			Path: "metadata.annotations[deprecated.daemonset.template.generation]", What: bothWays(),
			Why: "a DaemonSet that is created anew counts from 1", Source: sourceRegistry + "apps/daemonset/strategy.go",
		},
		{
			Name: "replicas of a deployment", Kinds: []string{"ReplicaSet.apps"}, Path: "spec.replicas", What: bothWays(), When: ofDeployment,
			Why: "the Deployment decides how many of its pods each ReplicaSet has; its own replicas are compared", Source: sourceController + "deployment/sync.go",
		},
		{
			Name: "claim templates", Kinds: []string{"StatefulSet.apps"}, Path: "spec.volumeClaimTemplates[*].status", What: bothWays(),
			Why: "a template has no status; older API servers fill in a phase", Source: "pkg/apis/core/v1/defaults.go",
		},
	}
	for _, name := range []string{"desired-replicas", "max-replicas", "revision-history"} {
		rules = append(rules, Rule{
			Name: "replicas of a deployment", Kinds: []string{"ReplicaSet.apps"}, Path: "metadata.annotations[deployment.kubernetes.io/" + name + "]", What: bothWays(),
			Why: "the Deployment controller's own notes", Source: sourceController + "deployment/util/deployment_util.go",
		})
	}
	return rules
}

// ofDeployment says that the wanted object belongs to a Deployment.
func ofDeployment(c Case) bool {
	owner := controllerOf(c.WantedObject)
	return owner != nil && kindOf(owner) == "Deployment.apps"
}

func jobRules() []Rule {
	var rules []Rule
	// Both spellings are written; the one without a prefix is the older one.
	for _, label := range []string{"batch.kubernetes.io/controller-uid", "controller-uid"} {
		for _, path := range []string{"spec.selector.matchLabels[", "spec.template.metadata.labels[", "metadata.labels["} {
			rules = append(rules, Rule{
				Name: "selector of a job", Kinds: []string{"Job.batch"}, Path: path + label + "]", What: bothWays(), When: generatedSelector,
				Why: "a Job's pods are told apart by its uid", Source: sourceRegistry + "batch/job/strategy.go",
			})
		}
		rules = append(rules, Rule{
			Name: "selector of a job", Kinds: []string{"Pod"}, Path: "metadata.labels[" + label + "]", What: bothWays(),
			Why: "a Job's pods are told apart by its uid", Source: sourceRegistry + "batch/job/strategy.go",
		})
	}
	for _, label := range []string{"batch.kubernetes.io/job-name", "job-name"} {
		rules = append(rules, Rule{
			Name: "selector of a job", Kinds: []string{"Job.batch"}, Path: "spec.template.metadata.labels[" + label + "]", What: []string{Extra}, When: generatedSelector,
			Why: "it is added at creation", Source: sourceRegistry + "batch/job/strategy.go",
		})
	}
	return append(rules, Rule{
		Name: "job tracking", Kinds: []string{"Job.batch"}, Path: "metadata.annotations[batch.kubernetes.io/job-tracking]", What: bothWays(),
		Why: "a mark of API servers before Kubernetes 1.27", Source: "https://kubernetes.io/docs/reference/labels-annotations-taints/#batch-kubernetes-io-job-tracking",
	})
}

// generatedSelector says that the API server makes the selector, and not the
// owner of the Job.
func generatedSelector(c Case) bool {
	spec, _ := c.WantedObject.Object["spec"].(map[string]any)
	return spec["manualSelector"] != true
}
