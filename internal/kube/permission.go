package kube

import rbacv1 "k8s.io/api/rbac/v1"

// Permission is one rule that a run needs. What the preflight asks the API
// server for and what an RBAC manifest grants are the same list.
type Permission struct {
	// Namespace the rule is needed in; empty means cluster-wide.
	Namespace string
	Rule      rbacv1.PolicyRule
	// Optional rules make the evidence better; a run goes on without them.
	Optional bool
}
