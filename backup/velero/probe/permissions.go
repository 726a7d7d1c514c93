package probe

import "gameday.dev/gameday/internal/kube"

// Permissions are what Run needs in the namespace of the pods, besides reading them,
// which every restore may. No probe needs none.
func (s *Spec) Permissions(namespace string) []kube.Permission {
	switch {
	case s == nil:
		return nil
	case s.Exec != nil:
		// A WebSocket is opened with GET, which is get to RBAC, SPDY with POST.
		return kube.Permit(namespace, kube.Rule("", []string{"pods/exec"}, "create", "get"))
	default:
		return kube.Permit(namespace, kube.Rule("", []string{"pods/proxy"}, "get"))
	}
}
