package objects

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// memory is a Set of objects at hand.
type memory struct {
	resources []Resource
	objects   map[Resource][]*unstructured.Unstructured
}

// NewSet makes a Set of objects, for tests and small inputs. The resource is
// guessed from the kind as k8s.io/apimachinery does (Ingress: ingresses); a
// resource is namespaced when its first object is in a namespace. Objects
// without an apiVersion are of the group "", version "".
func NewSet(objects ...*unstructured.Unstructured) Set {
	m := &memory{objects: map[Resource][]*unstructured.Unstructured{}}
	known := map[schema.GroupVersionKind]Resource{}
	for _, o := range objects {
		r, ok := known[o.GroupVersionKind()]
		if !ok {
			r = resourceOf(o)
			known[o.GroupVersionKind()] = r
			m.resources = append(m.resources, r)
		}
		m.objects[r] = append(m.objects[r], o)
	}
	slices.SortFunc(m.resources, byName)
	for _, all := range m.objects {
		sortObjects(all, func(p place) place { return p })
	}
	return m
}

// resourceOf guesses the resource of an object.
func resourceOf(o *unstructured.Unstructured) Resource {
	gvk := o.GroupVersionKind()
	plural, _ := meta.UnsafeGuessKindToResource(gvk)
	return Resource{Group: gvk.Group, Version: gvk.Version, Name: plural.Resource, Kind: gvk.Kind, Namespaced: placeOf(o).namespace != ""}
}

// byName is the order in which resources are compared.
func byName(a, b Resource) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
}

func (m *memory) Resources(context.Context) ([]Resource, error) { return m.resources, nil }

func (m *memory) Objects(_ context.Context, r Resource) iter.Seq2[*unstructured.Unstructured, error] {
	return yieldAll(m.of(r))
}

// of finds the objects of a resource, whatever the other side calls it.
func (m *memory) of(r Resource) []*unstructured.Unstructured {
	for _, mine := range m.resources {
		if mine.Group == r.Group && mine.Kind == r.Kind {
			return m.objects[mine]
		}
	}
	return nil
}

func (m *memory) objectsBy(_ context.Context, r Resource, original func(string) string) iter.Seq2[*unstructured.Unstructured, error] {
	all := slices.Clone(m.of(r))
	sortObjects(all, func(p place) place {
		p.namespace = original(p.namespace)
		return p
	})
	return yieldAll(all)
}

func yieldAll(all []*unstructured.Unstructured) iter.Seq2[*unstructured.Unstructured, error] {
	return func(yield func(*unstructured.Unstructured, error) bool) {
		for _, o := range all {
			if !yield(o, nil) {
				return
			}
		}
	}
}
