package nodedrain

import "gameday.dev/gameday/internal/kube"

// Permissions are cluster-wide: a node carries pods of any namespace. Deleting
// pods is not among them.
func (s *Spec) Permissions() []kube.Permission {
	return kube.Permit("",
		kube.Rule("", []string{"nodes"}, "get", "list", "patch"),
		kube.Rule("", []string{"pods"}, "list", "watch"),
		kube.Rule("", []string{"pods/eviction"}, "create"),
		kube.Rule("", []string{"persistentvolumeclaims"}, "get"),
		kube.Rule("policy", []string{"poddisruptionbudgets"}, "list", "watch"),
		kube.Rule("storage.k8s.io", []string{"volumeattachments"}, "list", "watch"),
		kube.Rule("apps", []string{"deployments", "replicasets", "statefulsets", "daemonsets"}, "list"),
	)
}
