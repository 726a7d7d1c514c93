package files

import "gameday.dev/gameday/internal/kube"

// Permissions are what Compare and Remove need, all in the namespace of the
// readers. Events only make it quicker to say why a reader does not start.
func Permissions(namespace string) []kube.Permission {
	return []kube.Permission{
		{Namespace: namespace, Rule: kube.Rule("", []string{"pods"}, "create", "get", "delete", "list", "watch")},
		// A WebSocket is opened with GET, which is get to RBAC, SPDY with POST.
		{Namespace: namespace, Rule: kube.Rule("", []string{"pods/exec"}, "create", "get")},
		{Namespace: namespace, Rule: kube.Rule("", []string{"events"}, "list", "watch"), Optional: true},
	}
}
