package objects

import "slices"

// presenceRules are about whole objects that only one side has. Those that
// need to know other objects come last.
func presenceRules() []Rule {
	made := []string{Extra}
	comeAndGo := []string{Missing, Extra, Gone, New, Recreated}
	return slices.Concat(inEachNamespaceRules(), []Rule{
		{
			Name: "account token", Kinds: []string{"Secret"}, What: made, When: tokenSecret,
			Why: "a controller makes it for a ServiceAccount", Source: sourceController + "serviceaccount/tokens_controller.go",
		},
		{
			Name: "addresses of pods", Kinds: []string{"EndpointSlice.discovery.k8s.io", "Endpoints"}, What: comeAndGo, When: managedEndpoints,
			Why: "a controller makes it for a Service, slices under a random name", Source: "staging/src/k8s.io/endpointslice/reconciler.go",
		},
		{
			Name: "addresses of services", Kinds: []string{"IPAddress.networking.k8s.io"}, What: comeAndGo, When: labelled("ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"),
			Why: "the API server notes here which address it has given to which Service", Source: sourceRegistry + "core/service/ipallocator/ipallocator.go",
		},
		{
			Name: "made by the API server", Kinds: []string{"APIService.apiregistration.k8s.io"}, What: comeAndGo, When: labelled("kube-aggregator.kubernetes.io/automanaged", ""),
			Why: "one for each group and version that it serves itself", Source: "staging/src/k8s.io/kube-aggregator/pkg/controllers/autoregister/autoregister_controller.go",
		},
		{
			Name: "made by the API server", Kinds: []string{"PriorityClass.scheduling.k8s.io"}, What: made, When: named("system-cluster-critical", "system-node-critical"),
			Why: "every cluster has it", Source: sourceRegistry + "scheduling/rest/storage_scheduling.go",
		},
		{
			Name: "made by the API server", What: made, When: annotated("apf.kubernetes.io/autoupdate-spec"),
			Kinds: []string{"FlowSchema.flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io"},
			Why:   "every cluster has it", Source: sourceRegistry + "flowcontrol/ensurer/strategy.go",
		},
		{
			Name: "made by the API server", What: made, When: labelled("kubernetes.io/bootstrapping", "rbac-defaults"),
			Kinds: []string{
				"Role.rbac.authorization.k8s.io", "RoleBinding.rbac.authorization.k8s.io", "ClusterRole.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io",
			},
			Why: "every cluster has it", Source: "plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go",
		},
		{
			Name: "static pods", Kinds: []string{"Pod"}, What: comeAndGo, When: annotated("kubernetes.io/config.mirror"),
			Why: "a kubelet shows here what it runs from files", Source: "https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/",
		},
		{
			Name: "attachments", Kinds: []string{"VolumeAttachment.storage.k8s.io"}, What: comeAndGo,
			Why: "a controller attaches volumes to the nodes where pods need them now", Source: sourceController + "volume/attachdetach/attach_detach_controller.go",
		},
		{
			Name: "certificate requests", Kinds: []string{"CertificateSigningRequest.certificates.k8s.io"}, What: []string{Missing, Gone},
			Why: "a controller removes them when they are old", Source: sourceController + "certificates/cleaner/cleaner.go",
		},
		{
			Name: "account token", Kinds: []string{"Secret"}, What: []string{Missing}, When: generatedToken, settle: ofClaim,
			Why: "a controller has made another one for its ServiceAccount, as they did before Kubernetes 1.24", Source: sourceController + "serviceaccount/tokens_controller.go",
		},
		{
			Name: "made by its controller", Kinds: []string{"*"}, What: made, When: hasController, settle: byController,
			Why: "it is owned by an object that was restored, whose controller makes such objects", Source: "https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/",
		},
		{
			Name: "pods of a controller", Kinds: []string{"Pod"}, What: []string{Missing}, When: hasController, settle: ofController,
			Why: "its controller was restored and makes pods of its own", Source: "https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/",
		},
		{
			Name: "provisioned volumes", Kinds: []string{"PersistentVolume"}, What: []string{Missing, Extra}, When: annotated("pv.kubernetes.io/provisioned-by"), settle: ofClaim,
			Why: "its claim was restored and is given a volume of its own, with a name of its own", Source: "https://kubernetes.io/docs/concepts/storage/dynamic-provisioning/",
		},
		{
			Name: "contents of snapshots", Kinds: []string{"VolumeSnapshotContent.snapshot.storage.k8s.io"}, What: []string{Missing, Extra}, When: generatedContent, settle: ofClaim,
			Why: "its VolumeSnapshot was restored and gets content under a name of its own", Source: sourceSnapshotter,
		},
	})
}
