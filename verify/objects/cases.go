package objects

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// objects are those of the case that there are.
func (c Case) objects() []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, o := range []*unstructured.Unstructured{c.WantedObject, c.FoundObject} {
		if o != nil {
			all = append(all, o)
		}
	}
	return all
}

// named says that an object has one of these names.
func named(names ...string) func(Case) bool {
	return func(c Case) bool {
		return slices.ContainsFunc(c.objects(), func(o *unstructured.Unstructured) bool { return slices.Contains(names, o.GetName()) })
	}
}

// labelled says that an object has the label with that value; "" for any.
func labelled(label, value string) func(Case) bool {
	return func(c Case) bool {
		return slices.ContainsFunc(c.objects(), func(o *unstructured.Unstructured) bool {
			have, ok := o.GetLabels()[label]
			return ok && (value == "" || have == value)
		})
	}
}

// annotated says that an object has the annotation, whatever it says.
func annotated(annotation string) func(Case) bool {
	return func(c Case) bool {
		return slices.ContainsFunc(c.objects(), func(o *unstructured.Unstructured) bool {
			_, ok := o.GetAnnotations()[annotation]
			return ok
		})
	}
}

// hasController says that an object names its controller.
func hasController(c Case) bool {
	return slices.ContainsFunc(c.objects(), func(o *unstructured.Unstructured) bool { return controllerOf(o) != nil })
}

// generatedContent says that the snapshot controller has named it.
func generatedContent(c Case) bool {
	return slices.ContainsFunc(c.objects(), func(o *unstructured.Unstructured) bool { return strings.HasPrefix(o.GetName(), "snapcontent-") })
}
