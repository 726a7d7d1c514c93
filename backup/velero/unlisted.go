package velero

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/verify/objects"
)

// listing are the permissions to compare what Velero backs up along with a namespace:
// what its objects refer to of the cluster's own (pkg/util/actionhelpers and
// pkg/backup/actions). A user without them has less compared, and is told.
func listing() []kube.Permission {
	var all []kube.Permission
	for _, one := range []struct {
		group     string
		resources []string
	}{
		{"rbac.authorization.k8s.io", []string{"clusterroles", "clusterrolebindings"}},
		{"apiextensions.k8s.io", []string{"customresourcedefinitions"}},
		{"scheduling.k8s.io", []string{"priorityclasses"}},
		{"snapshot.storage.k8s.io", []string{"volumesnapshotclasses", "volumesnapshotcontents"}},
	} {
		all = append(all, kube.Permission{Rule: kube.Rule(one.group, one.resources, "list"), Optional: true})
	}
	return all
}

// mayNotList names the resources of the cluster's own, of those to compare, that the
// user may not list. Of namespaces only two are read, each by its name.
func (c *climb) mayNotList(ctx context.Context, of []objects.Resource) ([]string, error) {
	var asked []kube.Permission
	for _, resource := range of {
		if !resource.Namespaced && !isNamespaces(resource) {
			asked = append(asked, kube.Permission{Rule: kube.Rule(resource.Group, []string{resource.Name}, "list")})
		}
	}
	missing, err := kube.Missing(ctx, c.env.Client, asked)
	var names []string
	for _, access := range missing {
		names = append(names, objects.Resource{Group: access.Group, Name: access.Resource}.String())
	}
	return names, err
}

// without leaves resources out by name.
func without(resources []objects.Resource, names []string) []objects.Resource {
	return slices.DeleteFunc(resources, func(r objects.Resource) bool { return slices.Contains(names, r.String()) })
}

// tellUnlisted adds to a rung what was not compared.
func tellUnlisted(found *backup.Rung, names []string) {
	if len(names) > 0 {
		found.Summary += fmt.Sprintf("; not compared: %d kinds (%s), the user may not list them", len(names), strings.Join(names, ", "))
	}
}
