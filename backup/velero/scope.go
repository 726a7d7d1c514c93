package velero

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/restmapper"

	"gameday.dev/gameday/verify/objects"
)

// scope is what the backup was to hold.
type scope struct {
	spec velerov1.BackupSpec
	// included and excluded are the resources that its filters name: "deployments.apps",
	// or patterns. Nothing included means everything.
	included, excluded []string
	// until is when Velero may last have looked at an object.
	until time.Time
}

// newScope reads the filters of resources, the older ones and those by scope, as Velero
// does: it takes plurals, singulars, kinds and short names, of a name that several
// groups have the first one's, and what it does not know for a pattern
// (pkg/util/collections/includes_excludes.go). Taken otherwise, a loss would be called
// filtered.
func newScope(client discovery.DiscoveryInterface, spec velerov1.BackupSpec, until time.Time) (scope, error) {
	s := scope{
		spec:     spec,
		until:    until,
		included: slices.Concat(spec.IncludedResources, spec.IncludedNamespaceScopedResources),
		excluded: slices.Concat(spec.ExcludedResources, spec.ExcludedNamespaceScopedResources),
	}
	if len(s.included)+len(s.excluded) == 0 {
		return s, nil
	}
	cached := memory.NewMemCacheClient(client)
	groups, err := restmapper.GetAPIGroupResources(cached)
	if err != nil {
		return s, fmt.Errorf("asking for the cluster's resources: %w", err)
	}
	mapper := restmapper.NewShortcutExpander(restmapper.NewDiscoveryRESTMapper(groups), cached, nil)
	for _, names := range [][]string{s.included, s.excluded} {
		for i, name := range names {
			if found, err := mapper.ResourceFor(schema.ParseGroupResource(name).WithVersion("")); err == nil {
				names[i] = found.GroupResource().String()
			} else if strings.ContainsAny(name, `[]{}\`) { // Velero's patterns are not path's
				return s, fmt.Errorf("what the backup was to hold can't be told: its filter of resources has %q", name)
			}
		}
	}
	return s, nil
}

// leftOut says why a living object is not expected in the backup; empty when it is.
func (s scope) leftOut(resource objects.Resource, object *unstructured.Unstructured) string {
	switch {
	case !resource.Namespaced && !isNamespaces(resource):
		return "of the cluster: a backup of namespaces holds what they refer to"
	case object.GetLabels()[velerov1.ExcludeFromBackupLabel] == "true":
		return "labelled " + velerov1.ExcludeFromBackupLabel
	case s.wasBeingDeleted(object):
		return "being deleted, which Velero does not back up"
	case resource.String() == "events" || resource.String() == "events.events.k8s.io":
		return "events come and go"
	case !s.includes(resource):
		return "the backup's own resource filter"
	case !s.selects(object):
		return "the backup's own label selector"
	default:
		return ""
	}
}

// wasBeingDeleted says that Velero may have found an object in deletion. That was asked
// for as long before its deletionTimestamp as it is given to end by itself.
func (s scope) wasBeingDeleted(object *unstructured.Unstructured) bool {
	at := object.GetDeletionTimestamp()
	if at == nil {
		return false
	}
	grace := int64(0)
	if given := object.GetDeletionGracePeriodSeconds(); given != nil {
		grace = *given
	}
	return !at.Add(-time.Duration(grace) * time.Second).After(s.until)
}

func (s scope) includes(resource objects.Resource) bool {
	names := func(pattern string) bool {
		matched, _ := path.Match(pattern, resource.String()) // newScope has refused others
		return matched
	}
	return !slices.ContainsFunc(s.excluded, names) && (len(s.included) == 0 || slices.ContainsFunc(s.included, names))
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
