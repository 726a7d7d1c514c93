package objects

import (
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"
)

// Every kind that client-go knows has a shape, and its lists have the keys
// that strategic merge patches go by, but for those that are told to have others.
func TestShapesOfAllKinds(t *testing.T) {
	s := newShapes()
	keyed := 0
	for gvk, typ := range scheme.Scheme.AllKnownTypes() {
		root, known := s.of(gvk)
		if !known || typ.Kind() != reflect.Struct {
			t.Errorf("%s has no shape", gvk)
			continue
		}
		meta, err := strategicpatch.NewPatchMetaFromStruct(reflect.New(typ).Interface())
		if err != nil || root.fields["metadata"] == nil || strings.HasSuffix(gvk.Kind, "List") {
			continue
		}
		seen := map[*shape]bool{}
		var walk func(path string, at *shape, meta strategicpatch.LookupPatchMeta)
		walk = func(path string, at *shape, meta strategicpatch.LookupPatchMeta) {
			if at == nil || seen[at] || len(path) > 300 {
				return
			}
			seen[at] = true
			for name, field := range at.fields {
				here := path + "." + name
				switch {
				case field.items != nil && field.list.by == byKey:
					below, patch, err := meta.LookupPatchMetadataForSlice(name)
					if err != nil {
						t.Errorf("%s %s: %v", gvk, here, err)
						continue
					}
					keyed++
					if key := patch.GetPatchMergeKey(); key != field.list.key && name != "ownerReferences" {
						t.Errorf("%s %s is merged by %q, compared by %q", gvk, here, key, field.list.key)
					}
					walk(here, field.items, below)
				case field.fields != nil:
					if below, _, err := meta.LookupPatchMetadataForStruct(name); err == nil {
						walk(here, field, below)
					}
				}
			}
		}
		walk("", root, meta)
	}
	if keyed < 200 {
		t.Errorf("%d keyed lists: the test would prove little", keyed)
	}
}
