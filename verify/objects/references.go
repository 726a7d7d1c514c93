package objects

import "strings"

// reference is a field that names a namespace, so that it has to follow when
// an object is restored into another one.
type reference struct {
	kinds []string // as in Rule
	path  string   // as in Rule
	// key is set for a requirement of a label selector: the values count only
	// when it is about this label.
	key string
	// prefixed says that the namespace stands in a longer name, of a user or a
	// group of ServiceAccounts.
	prefixed bool
}

// nameLabel is the label that selects a namespace by its name.
const nameLabel = "kubernetes.io/metadata.name"

// references lists the typed references of Kubernetes' own kinds, of CSI
// snapshots and of the Gateway API. Ingresses, autoscalers and disruption
// budgets name nothing outside of their namespace.
func references() []reference {
	all := []reference{
		{kinds: []string{"RoleBinding.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io"}, path: "subjects[*].namespace"},
		{kinds: []string{"RoleBinding.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io"}, path: "subjects[*].name", prefixed: true},
		{kinds: webhookKinds(), path: "webhooks[*].clientConfig.service.namespace"},
		{kinds: []string{"APIService.apiregistration.k8s.io"}, path: "spec.service.namespace"},
		{kinds: []string{"CustomResourceDefinition.apiextensions.k8s.io"}, path: "spec.conversion.webhook.clientConfig.service.namespace"},
		{kinds: []string{"ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding.admissionregistration.k8s.io"}, path: "spec.paramRef.namespace"},
		{kinds: []string{"IngressClass.networking.k8s.io"}, path: "spec.parameters.namespace"},
		{kinds: []string{"PersistentVolume"}, path: "spec.claimRef.namespace"},
		{kinds: []string{"PersistentVolume"}, path: "spec.csi.*SecretRef.namespace"},
		{kinds: []string{"PersistentVolumeClaim"}, path: "spec.dataSourceRef.namespace"},
		{kinds: []string{"StorageClass.storage.k8s.io", "VolumeSnapshotClass.snapshot.storage.k8s.io"}, path: "parameters[csi.storage.k8s.io/*-secret-namespace]"},
		{kinds: []string{"VolumeSnapshotContent.snapshot.storage.k8s.io"}, path: "spec.volumeSnapshotRef.namespace"},
		{kinds: []string{"EndpointSlice.discovery.k8s.io"}, path: "endpoints[*].targetRef.namespace"},
		{kinds: []string{"Endpoints"}, path: "subsets[*].addresses[*].targetRef.namespace"},
		{kinds: []string{"Endpoints"}, path: "subsets[*].notReadyAddresses[*].targetRef.namespace"},
	}
	for _, selector := range selectors() {
		all = append(all,
			reference{kinds: selector.kinds, path: selector.path + ".matchLabels[" + nameLabel + "]"},
			reference{kinds: selector.kinds, path: selector.path + ".matchExpressions[*].values[*]", key: nameLabel},
		)
	}
	for _, affinity := range []string{"{pod}.affinity.podAffinity.", "{pod}.affinity.podAntiAffinity."} {
		for _, term := range []string{"requiredDuringSchedulingIgnoredDuringExecution[*]", "preferredDuringSchedulingIgnoredDuringExecution[*].podAffinityTerm"} {
			all = append(all,
				reference{kinds: podKinds(), path: affinity + term + ".namespaces[*]"},
				reference{kinds: podKinds(), path: affinity + term + ".namespaceSelector.matchLabels[" + nameLabel + "]"},
				reference{kinds: podKinds(), path: affinity + term + ".namespaceSelector.matchExpressions[*].values[*]", key: nameLabel},
			)
		}
	}
	for _, path := range []string{
		"spec.parentRefs[*].namespace", "spec.rules[*].backendRefs[*].namespace", "spec.rules[*].filters[*].requestMirror.backendRef.namespace",
		"spec.rules[*].backendRefs[*].filters[*].requestMirror.backendRef.namespace",
	} {
		all = append(all, reference{kinds: routeKinds(), path: path})
	}
	gateway := ".gateway.networking.k8s.io"
	return append(all,
		reference{kinds: []string{"Gateway" + gateway}, path: "spec.listeners[*].tls.certificateRefs[*].namespace"},
		reference{kinds: []string{"Gateway" + gateway}, path: "spec.listeners[*].tls.frontendValidation.caCertificateRefs[*].namespace"},
		reference{kinds: []string{"ReferenceGrant" + gateway}, path: "spec.from[*].namespace"},
	)
}

// selectors are where a selector of namespaces stands.
func selectors() []reference {
	policies := []string{"ValidatingAdmissionPolicy.admissionregistration.k8s.io", "MutatingAdmissionPolicy.admissionregistration.k8s.io"}
	bindings := []string{"ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding.admissionregistration.k8s.io"}
	return []reference{
		{kinds: webhookKinds(), path: "webhooks[*].namespaceSelector"},
		{kinds: policies, path: "spec.matchConstraints.namespaceSelector"},
		{kinds: bindings, path: "spec.matchResources.namespaceSelector"},
		{kinds: []string{"NetworkPolicy.networking.k8s.io"}, path: "spec.ingress[*].from[*].namespaceSelector"},
		{kinds: []string{"NetworkPolicy.networking.k8s.io"}, path: "spec.egress[*].to[*].namespaceSelector"},
		{kinds: []string{"Gateway.gateway.networking.k8s.io"}, path: "spec.listeners[*].allowedRoutes.namespaces.selector"},
	}
}

func webhookKinds() []string {
	return []string{"MutatingWebhookConfiguration.admissionregistration.k8s.io", "ValidatingWebhookConfiguration.admissionregistration.k8s.io"}
}

func routeKinds() []string {
	kinds := []string{"HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"}
	for i := range kinds {
		kinds[i] += ".gateway.networking.k8s.io"
	}
	return kinds
}

// names says whether a value names the namespace, in the way of the reference.
func (r *reference) names(value, namespace string) bool {
	if !r.prefixed {
		return value == namespace
	}
	return value == "system:serviceaccounts:"+namespace || strings.HasPrefix(value, "system:serviceaccount:"+namespace+":")
}

// followed says that the found value is the wanted one with the namespace
// replaced by the one that it is mapped to.
func (r *reference) followed(c Case) bool {
	if !r.prefixed {
		return c.Mapped()
	}
	wanted, found := textOf(c.Wanted), textOf(c.Found)
	for from, to := range c.Namespaces {
		if r.names(wanted, from) {
			return strings.Replace(wanted, ":"+from, ":"+to, 1) == found
		}
	}
	return false
}

// mappingRule expects that a reference has followed.
func (r *reference) mappingRule() *Rule {
	return &Rule{
		Name: "reference that followed", Kinds: r.kinds, Path: r.path, What: []string{Changed}, When: r.followed,
		Why: "it names the namespace that was restored, as it should", Source: "the mapping of namespaces",
	}
}
