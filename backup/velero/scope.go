package velero

import (
	"slices"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"gameday.dev/gameday/verify/objects"
)

// scope is what the backup was to hold, in the words of its user: he may have named
// resources in short.
type scope struct {
	spec   velerov1.BackupSpec
	served catalogue
}

// leftOut says why a living object is not expected in the backup; empty when it is.
func (s scope) leftOut(resource objects.Resource, object *unstructured.Unstructured) string {
	switch {
	case !resource.Namespaced && resource.Kind != "Namespace":
		return "of the cluster: a backup of namespaces holds what they refer to"
	case object.GetLabels()[velerov1.ExcludeFromBackupLabel] == "true":
		return "labelled " + velerov1.ExcludeFromBackupLabel
	case object.GetDeletionTimestamp() != nil:
		return "being deleted, which Velero does not back up"
	case resource.Kind == "Event":
		return "events come and go"
	case !s.includes(resource):
		return "the backup's own resource filter"
	case !s.selects(object):
		return "the backup's own label selector"
	default:
		return ""
	}
}

// includes applies the filters of resources, the older ones and those by scope.
func (s scope) includes(resource objects.Resource) bool {
	excluded := slices.Concat(s.spec.ExcludedResources, s.spec.ExcludedNamespaceScopedResources)
	included := slices.Concat(s.spec.IncludedResources, s.spec.IncludedNamespaceScopedResources)
	names := func(name string) bool {
		name = strings.ToLower(name)
		if alone, ok := strings.CutSuffix(name, "."+resource.Group); ok {
			name = alone
		}
		return name == "*" || name == resource.Name || name == strings.ToLower(resource.Kind) || slices.Contains(s.served.short[resource.String()], name)
	}
	return !slices.ContainsFunc(excluded, names) && (len(included) == 0 || slices.ContainsFunc(included, names))
}

func (s scope) selects(object *unstructured.Unstructured) bool {
	if s.spec.LabelSelector == nil && len(s.spec.OrLabelSelectors) == 0 {
		return true
	}
	for _, one := range append(slices.Clone(s.spec.OrLabelSelectors), s.spec.LabelSelector) {
		if one == nil {
			continue
		}
		selector, err := metav1.LabelSelectorAsSelector(one)
		if err == nil && selector.Matches(labels.Set(object.GetLabels())) {
			return true
		}
	}
	return false
}
