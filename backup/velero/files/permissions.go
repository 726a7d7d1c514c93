package files

import (
	rbacv1 "k8s.io/api/rbac/v1"

	"gameday.dev/gameday/internal/kube"
)

// Permissions are what Compare and Remove need, all in the namespace of the
// readers. Events only make it quicker to say why a reader does not start.
func Permissions(namespace string) []kube.Permission {
	return []kube.Permission{
		{Namespace: namespace, Rule: rule("pods", "create", "get", "delete", "list", "watch")},
		// A WebSocket is opened with GET, which is get to RBAC, SPDY with POST.
		{Namespace: namespace, Rule: rule("pods/exec", "create", "get")},
		{Namespace: namespace, Rule: rule("events", "list", "watch"), Optional: true},
	}
}

func rule(resource string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{resource}, Verbs: verbs}
}
