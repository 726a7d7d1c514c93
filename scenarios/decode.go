package scenarios

import (
	"fmt"
	"iter"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// reader reads one document into a Go value and collects all that is wrong
// with it. It keeps where each field stands, for the checks that come later
// and know the field only by its path.
type reader struct {
	file     string
	root     *yaml.Node
	places   map[string]*yaml.Node
	spoiled  map[string]bool // fields already reported: what follows from it is noise
	strange  map[string]bool // mappings that hold an unknown field
	problems []Problem
}

func newReader(file string, root *yaml.Node) *reader {
	return &reader{
		file:    file,
		root:    root,
		places:  map[string]*yaml.Node{"": root},
		spoiled: map[string]bool{},
		strange: map[string]bool{},
	}
}

// report adds a problem at a node and spoils its field.
func (r *reader) report(at *yaml.Node, path *field.Path, message, hint string) {
	r.spoil(path)
	r.problems = append(r.problems, Problem{
		File: r.file, Line: at.Line, Column: at.Column, Field: pathText(path), Message: message, Hint: hint})
}

func (r *reader) spoil(path *field.Path) { r.spoiled[pathText(path)] = true }

// decode reads a node into out, which must be addressable. A value it cannot
// read is reported and left zero.
func (r *reader) decode(n *yaml.Node, out reflect.Value, path *field.Path) {
	if _, known := r.places[pathText(path)]; !known {
		r.places[pathText(path)] = n
	}
	if r.spoiled[pathText(path)] {
		return // an unknown parameter: its text is not the value
	}
	if isNull(n) {
		r.report(n, path, "no value", "give it one, or remove the field")
		return
	}
	switch target := out.Addr().Interface().(type) {
	case *metav1.Duration:
		r.duration(n, target, path)
	case *intstr.IntOrString:
		r.intOrString(n, target, path)
	case *Text:
		r.text(n, target, path)
	default:
		r.decodeKind(n, out, path)
	}
}

func (r *reader) decodeKind(n *yaml.Node, out reflect.Value, path *field.Path) {
	switch out.Kind() {
	case reflect.Pointer:
		value := reflect.New(out.Type().Elem())
		r.decode(n, value.Elem(), path)
		out.Set(value)
	case reflect.Struct:
		r.decodeStruct(n, out, path)
	case reflect.Slice:
		r.decodeSlice(n, out, path)
	case reflect.Map:
		r.decodeMap(n, out, path)
	case reflect.String:
		r.string(n, out, path)
	case reflect.Bool:
		r.bool(n, out, path)
	case reflect.Int, reflect.Int32, reflect.Int64:
		r.int(n, out, path)
	default:
		// A test reads every type of the format, so that no document gets here.
		panic(fmt.Sprintf("scenarios: no reading of %s", out.Type()))
	}
}

func (r *reader) decodeStruct(n *yaml.Node, out reflect.Value, path *field.Path) {
	if n.Kind != yaml.MappingNode {
		r.report(n, path, "must be a mapping, not "+describe(n), "")
		return
	}
	fields, names := jsonFields(out.Type())
	for key, value := range r.uniqueEntries(n, path) {
		index, ok := fields[key.Value]
		if !ok {
			r.unknownField(key, path, names)
			continue
		}
		child := path.Child(key.Value)
		if value.Kind != yaml.ScalarNode {
			r.places[child.String()] = key // where a person looks for it
		}
		r.decode(value, out.Field(index), child)
	}
}

func (r *reader) unknownField(key *yaml.Node, path *field.Path, known []string) {
	if key.Value == "<<" {
		r.report(key, path, "merge keys are not read", "write the fields out, or use an alias for a whole value")
		return
	}
	r.strange[pathText(path)] = true
	if meant, ok := nearest(key.Value, known); ok {
		r.spoil(path.Child(meant)) // do not call it missing as well
	}
	r.report(key, path.Child(clip(key.Value)), "unknown field", suggest(key.Value, known))
}

func (r *reader) decodeSlice(n *yaml.Node, out reflect.Value, path *field.Path) {
	if n.Kind != yaml.SequenceNode {
		r.report(n, path, "must be a list, not "+describe(n), "")
		return
	}
	items := reflect.MakeSlice(out.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		r.decode(item, items.Index(i), path.Index(i))
	}
	out.Set(items)
}

func (r *reader) decodeMap(n *yaml.Node, out reflect.Value, path *field.Path) {
	if n.Kind != yaml.MappingNode {
		r.report(n, path, "must be a mapping, not "+describe(n), "")
		return
	}
	items := reflect.MakeMap(out.Type())
	for key, value := range r.uniqueEntries(n, path) {
		item := reflect.New(out.Type().Elem()).Elem()
		if secret := out.Type() == reflect.TypeFor[Headers](); secret && tagOf(value) != "!!str" {
			r.report(value, path.Key(key.Value), "must be text", "put it in quotes") // without the value
			continue
		}
		r.decode(value, item, path.Key(key.Value))
		items.SetMapIndex(reflect.ValueOf(key.Value).Convert(out.Type().Key()), item)
	}
	out.Set(items)
}

// uniqueEntries gives the entries of a mapping, reporting keys that repeat or
// are no text.
func (r *reader) uniqueEntries(n *yaml.Node, path *field.Path) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		first := map[string]*yaml.Node{}
		for key, value := range entries(n) {
			if key.Kind != yaml.ScalarNode {
				r.report(key, path, "a key must be text, not "+describe(key), "")
				continue
			}
			if earlier, ok := first[key.Value]; ok {
				r.report(key, path.Child(key.Value), fmt.Sprintf("set twice, first in line %d", earlier.Line), "")
				continue
			}
			first[key.Value] = key
			if !yield(key, value) {
				return
			}
		}
	}
}

// entries gives the keys and values of a mapping; of anything else, none.
func entries(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// jsonFields gives the index of each field of a struct by its name in JSON,
// and the names in their order.
func jsonFields(t reflect.Type) (map[string]int, []string) {
	fields := make(map[string]int, t.NumField())
	names := make([]string, 0, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[name] = i
		names = append(names, name)
	}
	return fields, names
}

func pathText(path *field.Path) string {
	if path == nil {
		return ""
	}
	return path.String()
}
