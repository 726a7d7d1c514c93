package objects

// InEachNamespace is an object that a controller puts into each namespace by itself:
// into one that something is restored into as well, before or after.
type InEachNamespace struct {
	Group, Kind, Name string
	// By is what has the controller; Source is where that can be read, as in Rule.
	By, Source string
}

// ObjectsInEachNamespace are those of Kubernetes and of what is often added to it. Who
// restores into a namespace meets them there.
func ObjectsInEachNamespace() []InEachNamespace {
	const (
		rbac         = "rbac.authorization.k8s.io"
		rolebindings = "https://github.com/openshift/openshift-controller-manager/blob/master/pkg/authorization/defaultrolebindings/project_policy.go"
	)
	return []InEachNamespace{
		{"", "ConfigMap", "kube-root-ca.crt", "Kubernetes", sourceController + "certificates/rootcacertpublisher/publisher.go"},
		{"", "ServiceAccount", "default", "Kubernetes", sourceController + "serviceaccount/serviceaccounts_controller.go"},
		{"", "ConfigMap", "openshift-service-ca.crt", "OpenShift", "https://github.com/openshift/kubernetes/blob/master/openshift-kube-controller-manager/servicecacertpublisher/publisher.go"},
		{rbac, "RoleBinding", "system:deployers", "OpenShift", rolebindings},
		{rbac, "RoleBinding", "system:image-builders", "OpenShift", rolebindings},
		{rbac, "RoleBinding", "system:image-pullers", "OpenShift", rolebindings},
		{"", "ConfigMap", "istio-ca-root-cert", "Istio", "https://github.com/istio/istio/blob/master/pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go"},
	}
}

// inEachNamespaceRules expect them where nobody wanted them.
func inEachNamespaceRules() []Rule {
	var rules []Rule
	for _, one := range ObjectsInEachNamespace() {
		rules = append(rules, Rule{
			Name: "made in each namespace", Kinds: []string{qualified(one.Kind, one.Group)}, What: []string{Extra}, When: named(one.Name),
			Why: one.By + " puts `" + one.Name + "` into each namespace", Source: one.Source,
		})
	}
	return rules
}
