package podkill

import (
	rbacv1 "k8s.io/api/rbac/v1"

	"gameday.dev/gameday/internal/kube"
)

// Permissions are all within the one namespace.
func (s *Spec) Permissions() []kube.Permission {
	rules := []rbacv1.PolicyRule{
		rule("", "pods", "list", "watch"),
		rule("apps", "deployments", "list"),
		rule("apps", "replicasets", "list"),
		rule("apps", "statefulsets", "list"),
		rule("apps", "daemonsets", "list"),
	}
	if s.method() == MethodEvict {
		rules = append(rules,
			rule("", "pods/eviction", "create"),
			rule("policy", "poddisruptionbudgets", "list", "watch"))
	} else {
		rules = append(rules, rule("", "pods", "delete"))
	}
	var permissions []kube.Permission
	for _, rule := range rules {
		permissions = append(permissions, kube.Permission{Namespace: s.Namespace, Rule: rule})
	}
	return permissions
}

func rule(group, resource string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}
}
