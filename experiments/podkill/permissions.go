package podkill

import (
	rbacv1 "k8s.io/api/rbac/v1"

	"gameday.dev/gameday/internal/kube"
)

// Permissions are all within the one namespace.
func (s *Spec) Permissions() []kube.Permission {
	rules := []rbacv1.PolicyRule{
		kube.Rule("", []string{"pods"}, "list", "watch"),
		kube.Rule("apps", []string{"deployments", "replicasets", "statefulsets", "daemonsets"}, "list"),
	}
	if s.method() == MethodEvict {
		rules = append(rules,
			kube.Rule("", []string{"pods/eviction"}, "create"),
			kube.Rule("policy", []string{"poddisruptionbudgets"}, "list", "watch"))
	} else {
		rules = append(rules, kube.Rule("", []string{"pods"}, "delete"))
	}
	return kube.Permit(s.Namespace, rules...)
}
