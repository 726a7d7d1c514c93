package objects

import "slices"

// Rules are Kubernetes' own: what it does to an object that is created anew
// from a copy of it. They are written down by topic; kinds that none of them
// names keep everything but what "*" is about, since the API server keeps them
// as they come: Role, RoleBinding, ClusterRoleBinding, NetworkPolicy,
// PodDisruptionBudget, HorizontalPodAutoscaler, ResourceQuota, LimitRange,
// CronJob, CustomResourceDefinition, webhook configurations, HTTPRoute,
// StorageClass and custom resources.
func Rules() []Rule {
	return slices.Concat(
		metadataRules(), podRules(), podAdmissionRules(), workloadRules(), jobRules(), serviceRules(), endpointRules(),
		storageRules(), snapshotRules(), namespaceRules(), accountRules(), accessRules(), fleetingRules(), presenceRules(),
	)
}

// Sources of rules: files of github.com/kubernetes/kubernetes unless said
// otherwise.
const (
	sourceMeta       = "staging/src/k8s.io/apiserver/pkg/registry/rest/meta.go"
	sourceAdmission  = "plugin/pkg/admission/"
	sourceController = "pkg/controller/"
	sourceRegistry   = "pkg/registry/"
)

// bothWays are changes of a field in either direction.
func bothWays() []string { return []string{Changed, Missing, Extra} }

// always are all changes of a field, also of the live one since the backup.
func always() []string { return []string{Changed, Missing, Extra, Order, Moved} }

// The tables of the page are written by the test that compares them.
//go:generate go test . -run TestRulesPage -update
