package velero

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/refusal"
)

// planExclude refuses names that Velero would understand otherwise than the comparison
// does: it also takes a kind, a singular and a short name, and of a plural that several
// groups have it takes one group's (pkg/util/collections/includes_excludes.go).
func (s *Restore) planExclude(client discovery.DiscoveryInterface, plan *experiments.Plan) error {
	if len(s.Exclude) == 0 {
		return nil
	}
	_, lists, err := client.ServerGroupsAndResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) { // of one group that does not answer the rung of objects tells
		return fmt.Errorf("asking for the cluster's resources: %w", err)
	}
	for _, name := range s.Exclude {
		switch called, near := resourcesCalled(name, lists); {
		case len(called) > 1:
			return refusal.New("name the group in exclude: "+strings.Join(called, ", "), "exclude %q is the name of %d resources", name, len(called))
		case len(called) == 0 && len(near) > 0:
			return refusal.New("write in exclude: "+strings.Join(near, ", "), "exclude %q is not the plural name of a resource", name)
		case len(called) == 0:
			plan.Warnings = append(plan.Warnings, fmt.Sprintf("exclude %s: the cluster has no such resource", name))
		}
	}
	return nil
}

// resourcesCalled are the resources of that plural name, with their groups, and those
// that have it as a kind, a singular or a short name.
func resourcesCalled(name string, lists []*metav1.APIResourceList) (called, near []string) {
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		in := func(name string) string { return schema.GroupResource{Group: version.Group, Resource: name}.String() }
		for _, resource := range list.APIResources {
			if !isObject(resource) {
				continue
			}
			is := func(other string) bool { return other != "" && (name == other || name == in(other)) }
			switch {
			case is(resource.Name):
				called = append(called, in(resource.Name))
			case is(resource.SingularName) || is(strings.ToLower(resource.Kind)) || slices.ContainsFunc(resource.ShortNames, is):
				near = append(near, in(resource.Name))
			}
		}
	}
	slices.Sort(called)
	slices.Sort(near)
	return slices.Compact(called), slices.Compact(near) // a group has a resource in several versions
}
