package objects

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"
)

// Difference names the fields in which two values of one key differ, such as
// data.color, in their order. It names fields alone: what they hold stays
// where it is. For Secrets, and for values that do not decode, there are none;
// same says that the values decode to the same object all the same.
func (d *Decoder) Difference(key, one, other []byte) (paths []string, same bool) {
	at := d.place(string(key))
	if at.strange {
		return nil, false
	}
	defer func() {
		if recover() != nil { // as in Decode
			paths, same = nil, false
		}
	}()
	a, b := d.fields(at, key, one), d.fields(at, key, other)
	if a == nil || b == nil {
		return nil, false
	}
	if reflect.DeepEqual(a, b) {
		return nil, true
	}
	if at.row.kind == "Secret" {
		return nil, false
	}
	return differing(nil, "", a, b), false
}

// differing walks two trees down to where they part.
func differing(paths []string, path string, a, b map[string]any) []string {
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		here := strings.TrimPrefix(path+"."+name, ".")
		below, isMap := a[name].(map[string]any)
		otherBelow, otherIsMap := b[name].(map[string]any)
		switch {
		case isMap && otherIsMap:
			paths = differing(paths, here, below, otherBelow)
		case !reflect.DeepEqual(a[name], b[name]):
			paths = append(paths, here)
		}
	}
	return paths
}

// fields gives a value as a tree; nil when it does not decode.
func (d *Decoder) fields(at place, key, value []byte) map[string]any {
	if bytes.HasPrefix(value, []byte(encryptedPrefix)) {
		value = d.opened(at, key, value)
	}
	if _, failed := d.plain(at, value); failed != nil {
		return nil
	}
	tree := map[string]any{}
	if raw, ok := bytes.CutPrefix(value, []byte(protobufPrefix)); ok {
		var envelope runtime.Unknown
		if envelope.Unmarshal(raw) != nil {
			return nil
		}
		object := d.types[typeName{envelope.APIVersion, envelope.Kind}].fresh()
		if object.Unmarshal(envelope.Raw) != nil {
			return nil
		}
		tree, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			return nil
		}
		return tree
	}
	if value[0] != '{' || kjson.UnmarshalCaseSensitivePreserveInts(value, &tree) != nil {
		return nil // YAML and CBOR are too rare for a closer look
	}
	return tree
}
