// Package contents reads what a Velero backup holds: the objects in its tarball,
// as one side of a comparison. Objects are kept on disk, since a backup can be
// larger than memory, in a file that has no name and that only this process can
// read; it knows no cluster.
package contents

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"

	"gameday.dev/gameday/verify/objects"
)

// Pods are the resource.
func Pods() objects.Resource {
	return objects.Resource{Version: "v1", Name: "pods", Kind: "Pod", Namespaced: true}
}

// Claims are PersistentVolumeClaims.
func Claims() objects.Resource {
	return objects.Resource{Version: "v1", Name: "persistentvolumeclaims", Kind: "PersistentVolumeClaim", Namespaced: true}
}

// Contents are one namespace of a backup, the objects in it, and what belongs to
// the cluster. Of other namespaces, which most backups hold too, there is nothing.
type Contents struct {
	spool     *spool
	namespace string
	// index has the places of the objects of each resource, sorted once all are read.
	index map[string]*items
	total int // of all resources
}

var _ objects.Set = (*Contents)(nil)

// items are the objects of one resource.
type items struct {
	resource objects.Resource
	places   []place
}

// place is where an object is in the spool.
type place struct {
	namespace, name string
	offset          int64
	size            int
}

func (p place) compare(other place) int {
	if by := strings.Compare(p.namespace, other.namespace); by != 0 {
		return by
	}
	return strings.Compare(p.name, other.name)
}

// Close removes what was kept.
func (c *Contents) Close() error { return c.spool.close() }

// Resources implements objects.Set.
func (c *Contents) Resources(context.Context) ([]objects.Resource, error) {
	var all []objects.Resource
	for _, items := range c.index {
		all = append(all, items.resource)
	}
	slices.SortFunc(all, func(a, b objects.Resource) int { return strings.Compare(a.String(), b.String()) })
	return all, nil
}

// Objects implements objects.Set.
func (c *Contents) Objects(ctx context.Context, resource objects.Resource) iter.Seq2[*unstructured.Unstructured, error] {
	return func(yield func(*unstructured.Unstructured, error) bool) {
		items, ok := c.index[resource.String()]
		if !ok {
			return
		}
		for _, place := range items.places {
			if ctx.Err() != nil {
				yield(nil, context.Cause(ctx))
				return
			}
			object, err := c.load(place)
			if !yield(object, err) || err != nil {
				return
			}
		}
	}
}

func (c *Contents) load(p place) (*unstructured.Unstructured, error) {
	text, err := c.spool.load(p.offset, p.size)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	if err := json.Unmarshal(text, &object.Object); err != nil {
		return nil, fmt.Errorf("reading %s/%s again: %w", p.namespace, p.name, err)
	}
	return object, nil
}

// Get gives one object; nil when the backup holds none of that name.
func (c *Contents) Get(resource, namespace, name string) (*unstructured.Unstructured, error) {
	items, ok := c.index[resource]
	if !ok {
		return nil, nil
	}
	at, found := slices.BinarySearchFunc(items.places, place{namespace: namespace, name: name}, place.compare)
	if !found {
		return nil, nil
	}
	return c.load(items.places[at])
}

// Count is how many objects the backup holds of the namespace, itself included.
// What belongs to the cluster is in every backup, and says nothing of it.
func (c *Contents) Count() int64 {
	total := int64(0)
	for _, items := range c.index {
		if items.resource.Namespaced || items.resource.String() == namespaceResource {
			total += int64(len(items.places))
		}
	}
	return total
}
