package velero

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/verify/objects"
)

// known is a side whose resources are known better than by the side itself.
type known struct {
	objects.Set
	resources []objects.Resource
}

// Resources implements objects.Set.
func (k known) Resources(context.Context) ([]objects.Resource, error) { return k.resources, nil }

// side is a namespace of a cluster. Of the namespaces themselves it is this one.
type side struct {
	objects.Listed
	namespace string
}

// isNamespaces tells the namespaces from custom resources that are called so.
func isNamespaces(resource objects.Resource) bool { return resource.String() == "namespaces" }

// Objects implements objects.Set.
func (s side) Objects(ctx context.Context, resource objects.Resource) iter.Seq2[*unstructured.Unstructured, error] {
	if !isNamespaces(resource) {
		return s.Listed.Objects(ctx, resource)
	}
	return func(yield func(*unstructured.Unstructured, error) bool) {
		namespaces := s.Client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
		object, err := namespaces.Get(ctx, s.namespace, metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			yield(object, err)
		}
	}
}

// catalogue are the resources that a cluster serves, by name, then by version.
type catalogue struct {
	served    map[string]map[string]objects.Resource
	preferred map[string]string
}

// discover asks the cluster for its resources. A group whose API server does not
// answer is an error: whether anything of it was restored could not be told.
func discover(client discovery.DiscoveryInterface) (catalogue, error) {
	_, lists, err := client.ServerGroupsAndResources()
	if err != nil {
		return catalogue{}, fmt.Errorf("asking for the cluster's resources: %w", err)
	}
	c := catalogue{served: map[string]map[string]objects.Resource{}, preferred: map[string]string{}}
	for _, list := range lists { // in the order of preference within a group
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return c, fmt.Errorf("asking for the cluster's resources: %w", err)
		}
		for _, one := range list.APIResources {
			if !isObject(one) {
				continue
			}
			resource := objects.Resource{Group: version.Group, Version: version.Version, Name: one.Name, Kind: one.Kind, Namespaced: one.Namespaced}
			resource.PlainStatus = !hasStatus(list, one.Name)
			name := resource.String()
			if c.served[name] == nil {
				c.served[name] = map[string]objects.Resource{}
				c.preferred[name] = version.Version
			}
			c.served[name][version.Version] = resource
		}
	}
	return c, nil
}

// isObject says whether a resource is kept, so that it could be backed up: what
// can't be created and deleted is made up when it is asked for, such as PodMetrics.
func isObject(resource metav1.APIResource) bool {
	for _, verb := range []string{"list", "get", "create", "delete"} {
		if !slices.Contains(resource.Verbs, verb) {
			return false
		}
	}
	return !strings.Contains(resource.Name, "/")
}

func hasStatus(list *metav1.APIResourceList, name string) bool {
	return slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == name+"/status" })
}

// agree says that a backup's objects are of the kinds that the cluster has under the
// same resources. Others are no objects that Velero has read from a cluster.
func (c catalogue) agree(wanted []objects.Resource) error {
	for _, resource := range wanted {
		served := c.served[resource.String()]
		if preferred := served[c.preferred[resource.String()]]; len(served) > 0 && preferred.Kind != resource.Kind {
			return contents.Damaged("it holds %s of kind %s, and the cluster's are of kind %s", resource, resource.Kind, preferred.Kind)
		}
	}
	return nil
}

// mark notes in resources of a backup what only the cluster knows of them.
func (c catalogue) mark(wanted []objects.Resource) {
	for i, resource := range wanted {
		if served, ok := c.served[resource.String()]; ok {
			wanted[i].PlainStatus = served[c.preferred[resource.String()]].PlainStatus
		}
	}
}

// compared are the resources to list: all in namespaces, and of the cluster's own
// those that the backup holds. They are listed in the version of the backup, as
// long as that is served.
func (c catalogue) compared(wanted []objects.Resource) []objects.Resource {
	versions := map[string]string{}
	for _, resource := range wanted {
		versions[resource.String()] = resource.Version
	}
	var all []objects.Resource
	for name, served := range c.served {
		version, held := versions[name]
		resource, ok := served[version]
		if !ok {
			resource = served[c.preferred[name]]
		}
		if resource.Namespaced || held {
			all = append(all, resource)
		}
	}
	slices.SortFunc(all, func(a, b objects.Resource) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// namespaced are those that a namespace can hold, and the namespace itself.
func namespaced(resources []objects.Resource) []objects.Resource {
	return slices.DeleteFunc(slices.Clone(resources), func(r objects.Resource) bool { return !r.Namespaced && !isNamespaces(r) })
}
