package kube

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Permission is one rule that a run needs. What the preflight asks the API
// server for and what an RBAC manifest grants are the same list.
type Permission struct {
	// Namespace the rule is needed in; empty means cluster-wide, and
	// VeleroNamespace means Velero's, wherever that is.
	Namespace string
	Rule      rbacv1.PolicyRule
	// Optional rules make the evidence better; a run goes on without them.
	Optional bool
}

// Rule lets these resources of one API group, "" for the core's, be used so.
func Rule(group string, resources []string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs}
}

// Permit needs rules in one namespace; cluster-wide when it is empty.
func Permit(namespace string, rules ...rbacv1.PolicyRule) []Permission {
	var permissions []Permission
	for _, rule := range rules {
		permissions = append(permissions, Permission{Namespace: namespace, Rule: rule})
	}
	return permissions
}

// VeleroNamespace stands in a Permission for the namespace of Velero's own
// objects: the Environment names it, and whoever lists permissions knows no
// Environment. No namespace can be called so.
const VeleroNamespace = "{velero}"

// WithVelero says where Velero is to permissions that don't know.
func WithVelero(permissions []Permission, namespace string) []Permission {
	told := slices.Clone(permissions)
	for i := range told {
		if told[i].Namespace == VeleroNamespace {
			told[i].Namespace = namespace
		}
	}
	return told
}
