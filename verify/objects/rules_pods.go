package objects

import "strings"

// tokenMount is where the token of a ServiceAccount is mounted
// (DefaultAPITokenMountPath of the ServiceAccount admission plugin).
const tokenMount = "/var/run/secrets/kubernetes.io/serviceaccount"

func podRules() []Rule {
	rules := []Rule{
		{
			Name: "scheduling", Kinds: []string{"Pod"}, Path: "spec.nodeName", What: bothWays(),
			Why: "the scheduler chooses anew", Source: "pkg/scheduler/schedule_one.go",
		},
		{
			Name: "scheduling", Kinds: []string{"Pod"}, Path: "metadata.labels[topology.kubernetes.io/zone]", What: bothWays(),
			Why: "it is copied from the node", Source: sourceAdmission + "podtopologylabels/admission.go",
		},
		{
			Name: "scheduling", Kinds: []string{"Pod"}, Path: "metadata.labels[topology.kubernetes.io/region]", What: bothWays(),
			Why: "it is copied from the node", Source: sourceAdmission + "podtopologylabels/admission.go",
		},
		{
			Name: "debug containers", Kinds: []string{"Pod"}, Path: "spec.ephemeralContainers[*]", What: []string{Missing},
			Why:    "a pod can't be created with ephemeral containers; they end with the pod they were put in",
			Source: "https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/",
		},
		{
			Name: "pods of a job", Kinds: []string{"Pod"}, Path: "metadata.finalizers[batch.kubernetes.io/job-tracking]", What: bothWays(),
			Why: "the Job controller puts it on pods that it makes, and takes it off when it has counted them", Source: sourceController + "job/tracking_utils.go",
		},
		{
			Name: "pods of a daemon set", Kinds: []string{"Pod"}, Path: "metadata.labels[pod-template-generation]", What: bothWays(),
			Why: "a DaemonSet that is created anew counts from 1", Source: sourceController + "daemon/util/daemonset_util.go",
		},
		{
			Name: "token volume", Kinds: []string{"Pod"}, Path: "spec.volumes[name=kube-api-access-*]", What: []string{Missing, Extra}, When: otherToken,
			Why: "each pod gets its own, with a random name", Source: sourceAdmission + "serviceaccount/admission.go",
		},
		{
			Name: "token volume", Kinds: []string{"Pod"}, Path: "spec.volumes[name=*-token-*]", What: []string{Missing}, When: legacyToken,
			Why: "tokens came from Secrets before Kubernetes 1.21; now each pod gets its own", Source: sourceAdmission + "serviceaccount/admission.go",
		},
	}
	for _, note := range networkNotes() {
		rules = append(rules, Rule{
			Name: "network", Kinds: []string{"Pod"}, Path: "metadata.annotations[" + note.name + "]", What: append(bothWays(), Moved),
			Why: "the network plugin writes the addresses of the pod there", Source: note.source,
		})
	}
	for _, list := range []string{"containers", "initContainers"} {
		mount := "spec." + list + "[*].volumeMounts[mountPath=" + tokenMount + "]"
		rules = append(rules,
			Rule{
				Name: "token volume", Kinds: []string{"Pod"}, Path: mount + ".name", What: []string{Changed}, When: tokenNames,
				Why: "the volume has a random name", Source: sourceAdmission + "serviceaccount/admission.go",
			},
			Rule{
				Name: "token volume", Kinds: []string{"Pod"}, Path: mount, What: []string{Extra},
				Why: "it is mounted into every container that has nothing there", Source: sourceAdmission + "serviceaccount/admission.go",
			},
		)
	}
	for _, path := range selectorsOfTerms() {
		rules = append(rules, Rule{
			Name: "matchLabelKeys", Kinds: []string{"Pod"}, Path: path + ".labelSelector.matchExpressions[*]", What: []string{Extra}, When: matchesLabelKeys,
			Why:    "what matchLabelKeys and mismatchLabelKeys say is added to the selector at each creation, again in a copy",
			Source: sourceRegistry + "core/pod/strategy.go",
		})
	}
	return rules
}

// networkNotes are the annotations in which network plugins keep what they gave
// to a pod. They are no part of Kubernetes, but every pod of such a cluster has
// them, and each gets its own.
func networkNotes() []struct{ name, source string } {
	calico, multus := "https://github.com/projectcalico/calico", "https://github.com/k8snetworkplumbingwg/multus-cni"
	return []struct{ name, source string }{
		{"cni.projectcalico.org/containerID", calico}, {"cni.projectcalico.org/podIP", calico}, {"cni.projectcalico.org/podIPs", calico},
		{"k8s.v1.cni.cncf.io/network-status", multus}, {"k8s.v1.cni.cncf.io/networks-status", multus},
		{"k8s.ovn.org/pod-networks", "https://github.com/ovn-kubernetes/ovn-kubernetes"},
	}
}

// selectorsOfTerms are where a pod has terms with matchLabelKeys.
func selectorsOfTerms() []string {
	paths := []string{"spec.topologySpreadConstraints[*]"}
	for _, affinity := range []string{"spec.affinity.podAffinity.", "spec.affinity.podAntiAffinity."} {
		paths = append(paths, affinity+"requiredDuringSchedulingIgnoredDuringExecution[*]", affinity+"preferredDuringSchedulingIgnoredDuringExecution[*].podAffinityTerm")
	}
	return paths
}

// matchesLabelKeys says that the expression is about a label of the pod, as
// those are that the API server adds.
func matchesLabelKeys(c Case) bool {
	expression, _ := c.Found.(map[string]any)
	values, _ := expression["values"].([]any)
	if len(values) != 1 || c.FoundObject == nil {
		return false
	}
	value, ok := written(c.FoundObject, "labels", textOf(expression["key"]))
	operator := textOf(expression["operator"])
	return ok && value == textOf(values[0]) && (operator == "In" || operator == "NotIn")
}

// otherToken says that the other side has a token volume too, under its own
// name, or that admission has added one to a pod that had none.
func otherToken(c Case) bool {
	return c.Wanted == nil || hasToken(c.FoundObject.Object)
}

// legacyToken says that the volume is a Secret's and the restored pod has a
// token volume instead.
func legacyToken(c Case) bool {
	volume, _ := c.Wanted.(map[string]any)
	secret, _ := volume["secret"].(map[string]any)
	return secret != nil && textOf(secret["secretName"]) == textOf(volume["name"]) && hasToken(c.FoundObject.Object)
}

func hasToken(pod map[string]any) bool {
	spec, _ := pod["spec"].(map[string]any)
	volumes, _ := spec["volumes"].([]any)
	for _, volume := range volumes {
		if volume, ok := volume.(map[string]any); ok && strings.HasPrefix(textOf(volume["name"]), "kube-api-access-") {
			return true
		}
	}
	return false
}

// tokenNames says that both are names of token volumes.
func tokenNames(c Case) bool {
	wanted, found := textOf(c.Wanted), textOf(c.Found)
	return (strings.HasPrefix(wanted, "kube-api-access-") || strings.Contains(wanted, "-token-")) && strings.HasPrefix(found, "kube-api-access-")
}
