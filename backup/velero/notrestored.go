package velero

import (
	"maps"
	"slices"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify/objects"
)

const ofTheCluster = "a drill restores one namespace and nothing of the cluster's"

// aside are resources that no drill restores, and why. They are named to Velero
// whether the backup holds them or not: it restores the last two along with what
// uses them.
func aside() map[string]string {
	const leads = "restored, they would lead to the original's pods until their controller has replaced them"
	return map[string]string{
		"endpoints":                         leads,
		"endpointslices.discovery.k8s.io":   leads,
		"events":                            "Velero restores no events",
		"events.events.k8s.io":              "Velero restores no events",
		"priorityclasses.scheduling.k8s.io": ofTheCluster,
		"customresourcedefinitions.apiextensions.k8s.io": ofTheCluster,
	}
}

// notRestored says why no object of a resource comes back in a drill; empty for
// those that must.
func (s *Restore) notRestored(resource objects.Resource) string {
	name := resource.String()
	switch why := aside()[name]; {
	case why != "":
		return why
	case isNamespaces(resource):
		return ""
	case !resource.Namespaced:
		return ofTheCluster
	case resource.Group == velero.Group:
		return "Velero does not restore its own objects"
	case slices.Contains(s.Exclude, name) || slices.Contains(s.Exclude, resource.Name):
		return "the step excludes it"
	default:
		return ""
	}
}

// excluded are the resources that Velero is told not to restore of those that a
// backup holds.
func (s *Restore) excluded(held []objects.Resource) []string {
	all := slices.Concat(slices.Sorted(maps.Keys(aside())), s.Exclude)
	for _, resource := range held {
		if name := resource.String(); s.notRestored(resource) != "" && !comesWithClaims(name) && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// comesWithClaims says that a resource of the cluster is restored for the claims of
// the namespace, through its definition in the backup.
func comesWithClaims(name string) bool {
	return name == "persistentvolumes" || strings.HasPrefix(name, "volumesnapshot")
}

// whyMissing says of an object that is lost what Velero does to such objects, and
// what helps; empty where there is nothing to say.
func whyMissing(resource objects.Resource, object *unstructured.Unstructured) string {
	// pkg/restore/actions/csi/volumesnapshot_action.go
	if resource.Group == snapshotGroup && resource.Name == "volumesnapshots" && object.GetLabels()[velerov1.BackupNameLabel] == "" {
		return "Velero restores every VolumeSnapshot under a name of its own making, where nobody looks for it"
	}
	// pkg/restore/actions/secret_action.go
	if object.Object["type"] == string(corev1.SecretTypeServiceAccountToken) && strings.Contains(object.GetName(), "-token-") {
		return "Velero leaves out token Secrets whose name begins with an account's and -token-, and Kubernetes makes none anew since 1.24; " +
			"give it another name, or make a token after a recovery (kubectl create token)"
	}
	return ""
}
