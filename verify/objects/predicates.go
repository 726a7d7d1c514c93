package objects

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// written gives a label or an annotation of an object. Unlike the methods of
// unstructured.Unstructured it copies nothing, and is not put off by another
// one that is no text.
func written(o *unstructured.Unstructured, field, name string) (string, bool) {
	metadata, _ := o.Object["metadata"].(map[string]any)
	texts, _ := metadata[field].(map[string]any)
	text, ok := texts[name].(string)
	return text, ok
}

func label(o *unstructured.Unstructured, name string) string {
	text, _ := written(o, "labels", name)
	return text
}

func annotation(o *unstructured.Unstructured, name string) string {
	text, _ := written(o, "annotations", name)
	return text
}

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
func labelled(name, value string) func(Case) bool {
	return func(c Case) bool {
		return slices.ContainsFunc(c.objects(), func(o *unstructured.Unstructured) bool {
			have, ok := written(o, "labels", name)
			return ok && (value == "" || have == value)
		})
	}
}

// annotated says that an object has the annotation, whatever it says.
func annotated(name string) func(Case) bool {
	return func(c Case) bool {
		return slices.ContainsFunc(c.objects(), func(o *unstructured.Unstructured) bool {
			_, ok := written(o, "annotations", name)
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
