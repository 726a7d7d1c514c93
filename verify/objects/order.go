package objects

import (
	"context"
	"iter"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// byOriginal is a set that can yield its objects in the order that they have
// in the original, whatever their namespaces are called here.
type byOriginal interface {
	objectsBy(ctx context.Context, r Resource, original func(namespace string) string) iter.Seq2[*unstructured.Unstructured, error]
}

// reordered is the restored side in the order of the original. Sets that can't
// do that themselves are read into memory, resource by resource, when
// namespaces or objects were renamed.
type reordered struct {
	Set
	mapping
}

func (o reordered) Objects(ctx context.Context, r Resource) iter.Seq2[*unstructured.Unstructured, error] {
	names := o.renamed(r)
	if len(names) == 0 && (!o.moved || !r.Namespaced && !isNamespace(r)) {
		return o.Set.Objects(ctx, r)
	}
	if set, ok := o.Set.(byOriginal); ok && r.Namespaced && len(names) == 0 {
		return set.objectsBy(ctx, r, o.original)
	}
	return func(yield func(*unstructured.Unstructured, error) bool) {
		var all []*unstructured.Unstructured
		for object, err := range o.Set.Objects(ctx, r) {
			if err != nil {
				yield(nil, err)
				return
			}
			all = append(all, object)
		}
		here := o.fromFound(r)
		sortObjects(all, func(p place) place {
			p, _ = here(p) // which has no error to give
			return p
		})
		for _, object := range all {
			if !yield(object, nil) {
				return
			}
		}
	}
}

// sortObjects puts them in the order of Set.Objects, by where they belong.
func sortObjects(all []*unstructured.Unstructured, where func(place) place) {
	slices.SortStableFunc(all, func(a, b *unstructured.Unstructured) int {
		p, q := where(placeOf(a)), where(placeOf(b))
		switch {
		case p.before(q):
			return -1
		case q.before(p):
			return 1
		default:
			return 0
		}
	})
}
