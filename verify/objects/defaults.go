package objects

import "slices"

// Defaults are those of the API server. Where it fills in one value for
// another (a rounded quantity), or by what is elsewhere in the cluster (a
// default StorageClass), that is a rule and not a default.
func Defaults() []Default {
	return slices.Concat(
		podDefaults(), containerDefaults(), probeDefaults(), volumeDefaults(), workloadDefaults(), batchDefaults(), serviceDefaults(), networkDefaults(),
		storageDefaults(), autoscalingDefaults(), registrationDefaults(), accessDefaults(), gatewayDefaults(),
	)
}

const (
	defaultsCore       = "pkg/apis/core/v1/defaults.go"
	defaultsGenerated  = "pkg/apis/core/v1/zz_generated.defaults.go"
	defaultsApps       = "pkg/apis/apps/v1/defaults.go"
	defaultsBatch      = "pkg/apis/batch/v1/defaults.go"
	defaultsNetworking = "pkg/apis/networking/v1/defaults.go"
	defaultsScaling    = "pkg/apis/autoscaling/v2/defaults.go"
	defaultsAdmission  = "pkg/apis/admissionregistration/v1/defaults.go"
	defaultsStorage    = "pkg/apis/storage/v1/defaults.go"
	defaultsAccess     = "pkg/apis/rbac/v1/defaults.go"
	defaultsExtensions = "staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/defaults.go"
	defaultsAggregator = "staging/src/k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/defaults.go"
)

// object is an object that the API server makes.
func object() map[string]any { return map[string]any{} }

// fill makes defaults for several fields below one path.
func fill(kinds []string, source, below string, values map[string]any) []Default {
	all := make([]Default, 0, len(values))
	for field, value := range values {
		all = append(all, Default{Kinds: kinds, Path: below + "." + field, Value: value, Source: source})
	}
	slices.SortFunc(all, func(a, b Default) int {
		if a.Path < b.Path {
			return -1
		}
		return 1
	})
	return all
}
