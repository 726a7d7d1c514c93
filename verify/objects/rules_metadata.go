package objects

func metadataRules() []Rule {
	var rules []Rule
	for _, name := range []string{"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"} {
		rules = append(rules, Rule{
			Name: "metadata of the server", Kinds: []string{"*"}, Path: "metadata." + name, What: always(),
			Why: "the API server gives each object its own", Source: sourceMeta,
		})
	}
	for _, name := range []string{"deletionTimestamp", "deletionGracePeriodSeconds"} {
		rules = append(rules, Rule{
			Name: "deletion under way", Kinds: []string{"*"}, Path: "metadata." + name, What: []string{Missing},
			Why: "the original was being deleted when it was backed up; what is created anew is not", Source: sourceMeta,
		})
	}
	for _, name := range []string{"foregroundDeletion", "orphan"} {
		rules = append(rules, Rule{
			Name: "deletion under way", Kinds: []string{"*"}, Path: "metadata.finalizers[" + name + "]", What: []string{Missing},
			Why:    "the garbage collector's mark on an object that is being deleted",
			Source: "https://kubernetes.io/docs/concepts/architecture/garbage-collection/",
		})
	}
	return append(rules,
		Rule{
			Name: "status", Kinds: []string{"*"}, Path: "status", What: always(),
			Why:    "a subresource that is dropped at creation; controllers write it anew from what they see",
			Source: "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#status-subresource",
		},
		Rule{
			Name: "uid of an owner", Kinds: []string{"*"}, Path: "metadata.ownerReferences[*].uid", What: []string{Changed},
			Why: "the owner was created anew too; kind and name say which it is", Source: "https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/",
		},
		Rule{
			Name: "another namespace", Kinds: []string{"*"}, Path: "metadata.namespace", What: []string{Changed}, When: Case.Mapped,
			Why: "it was restored into another namespace on purpose", Source: "the mapping of namespaces",
		},
		Rule{
			Name: "leader election", Kinds: []string{"ConfigMap", "Endpoints", "Lease.coordination.k8s.io"},
			Path: "metadata.annotations[control-plane.alpha.kubernetes.io/leader]", What: always(),
			Why:    "who leads now writes its own name there, every few seconds",
			Source: "staging/src/k8s.io/client-go/tools/leaderelection/resourcelock/interface.go",
		},
	)
}
