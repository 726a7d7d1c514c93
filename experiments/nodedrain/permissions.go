package nodedrain

import (
	rbacv1 "k8s.io/api/rbac/v1"

	"gameday.dev/gameday/internal/kube"
)

// Permissions are cluster-wide: a node carries pods of any namespace. Deleting
// pods is not among them.
func (s *Spec) Permissions() []kube.Permission {
	return []kube.Permission{
		rule("", "nodes", "get", "list", "patch"),
		rule("", "pods", "list", "watch"),
		rule("", "pods/eviction", "create"),
		rule("", "persistentvolumeclaims", "get"),
		rule("policy", "poddisruptionbudgets", "list", "watch"),
		rule("storage.k8s.io", "volumeattachments", "list", "watch"),
		rule("apps", "deployments", "list"),
		rule("apps", "replicasets", "list"),
		rule("apps", "statefulsets", "list"),
		rule("apps", "daemonsets", "list"),
	}
}

func rule(group, resource string, verbs ...string) kube.Permission {
	return kube.Permission{Rule: rbacv1.PolicyRule{
		APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs,
	}}
}
