package objects

import (
	"encoding/base64"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// hidden is what stands for the values of a Secret that are not the same, and
// concealed for any value of one.
const (
	hidden    = "differs"
	concealed = "(not shown)"
)

// renderPair shows two values; those of a Secret never, whatever field they
// are of: somebody may have put a password into a label.
func (k *kind) renderPair(wanted, found any) (string, string) {
	if k.secret {
		return hide(wanted), hide(found)
	}
	return renderPair(wanted, found)
}

func hide(value any) string {
	if value == nil {
		return ""
	}
	return hidden
}

// prepared gives the object in the form that is compared: of a Secret of a
// manifest, what the API server makes of stringData.
func (k *kind) prepared(o *unstructured.Unstructured) map[string]any {
	texts, ok := o.Object["stringData"].(map[string]any)
	if !k.secret || !ok {
		return o.Object
	}
	merged := maps.Clone(o.Object)
	delete(merged, "stringData")
	data, _ := merged["data"].(map[string]any)
	encoded := maps.Clone(data)
	if encoded == nil {
		encoded = map[string]any{}
	}
	for name, value := range texts {
		encoded[name] = base64.StdEncoding.EncodeToString([]byte(textOf(value)))
	}
	merged["data"] = encoded
	return merged
}

// conceal takes the values out of two Secrets so that they can be shown side by
// side: a value that is the same on both says nothing, one that differs says
// so. Names, keys, labels' names and the type stay.
func conceal(wanted, found map[string]any) {
	for _, field := range []string{"data", "stringData"} {
		concealMaps(wanted, found, field)
	}
	one, _ := wanted["metadata"].(map[string]any)
	other, _ := found["metadata"].(map[string]any)
	concealMaps(one, other, "annotations")
	concealMaps(one, other, "labels")
	for _, side := range []map[string]any{wanted, found} {
		for name := range side {
			switch name {
			case "apiVersion", "kind", "metadata", "data", "stringData", "type", "immutable":
			default: // a field that no Secret has may hold anything
				side[name] = concealed
			}
		}
	}
}

// concealMaps does it for the values of one map.
func concealMaps(wanted, found map[string]any, field string) {
	one, other := wanted[field], found[field]
	a, isMap := one.(map[string]any)
	b, areMaps := other.(map[string]any)
	if one != nil && !isMap {
		wanted[field] = concealed
	}
	if other != nil && !areMaps {
		found[field] = concealed
	}
	names := maps.Clone(a)
	if names == nil {
		names = map[string]any{}
	}
	maps.Copy(names, b)
	for name := range names {
		x, inWanted := a[name]
		y, inFound := b[name]
		differ := inWanted && inFound && !same(x, y)
		if inWanted {
			a[name] = sideOf("wanted", differ)
		}
		if inFound {
			b[name] = sideOf("found", differ)
		}
	}
}

func sideOf(side string, differ bool) string {
	if differ {
		return "(not shown; " + side + " differs)"
	}
	return concealed
}
