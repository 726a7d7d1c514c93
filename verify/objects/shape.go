package objects

import (
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// shape is what the Go type of a value says of it. A nil shape is that of
// values whose type is not known, such as the spec of a custom resource.
type shape struct {
	// fields are those of a struct, by their JSON name; nil for others.
	fields map[string]*shape
	// items are the items of a list or the values of a map.
	items *shape
	// optional says that an empty value and none are two things: a pointer, a
	// value in a map, an item of a list.
	optional bool
	// quantity and intOrString say that "1" and "1000m", "80" and 80 are the same.
	quantity, intOrString bool
	// list says how items of a list find each other.
	list listing
}

// field gives the shape of what is in a map or struct under that name.
func (s *shape) field(name string) *shape {
	switch {
	case s == nil:
		return nil
	case s.fields != nil:
		return s.fields[name]
	default:
		return s.items
	}
}

func (s *shape) item() *shape {
	if s == nil {
		return nil
	}
	return s.items
}

// hollow says that an empty value of the shape is the same as none: the API
// server makes no difference between them. Where the type is not known it may
// make one, as between {} and none in a union such as {selfSigned: {}}.
func (s *shape) hollow() bool { return s != nil && !s.optional }

// shapes makes shapes of types, and keeps them.
type shapes struct {
	byType map[reflect.Type]*shape
}

func newShapes() *shapes { return &shapes{byType: map[reflect.Type]*shape{}} }

// of gives the shape of a kind. Of a kind that client-go does not know, it is
// that of its metadata alone.
func (s *shapes) of(kind schema.GroupVersionKind) (of *shape, known bool) {
	if t, ok := scheme.Scheme.AllKnownTypes()[kind]; ok {
		return s.ofType(t), true
	}
	return &shape{fields: map[string]*shape{"metadata": s.ofType(reflect.TypeFor[metav1.ObjectMeta]())}}, false
}

func (s *shapes) ofType(t reflect.Type) *shape {
	if known, ok := s.byType[t]; ok {
		return known
	}
	made := &shape{}
	s.byType[t] = made // before its fields: types are made of themselves
	switch {
	case t.Kind() == reflect.Pointer:
		*made = *s.ofType(t.Elem())
		made.optional = true
	case t.String() == "resource.Quantity":
		made.quantity = true
	case t.String() == "intstr.IntOrString":
		made.intOrString = true
	case t.Implements(reflect.TypeFor[interface{ OpenAPISchemaType() []string }]()), opaque(t):
		return made
	case t.Kind() == reflect.Struct:
		made.fields = map[string]*shape{}
		s.addFields(t, made.fields)
	case t.Kind() == reflect.Map, t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		item := *s.ofType(t.Elem())
		item.optional = true // a key with an empty value is not the same as no key
		made.items = &item
	}
	return made
}

// opaque says that the type is JSON of another form than its fields: free
// JSON, which keeps whatever it holds.
func opaque(t reflect.Type) bool {
	switch t.String() {
	case "runtime.RawExtension", "v1.FieldsV1":
		return true
	default:
		return false
	}
}

func (s *shapes) addFields(t reflect.Type, fields map[string]*shape) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case name == "" && f.Anonymous:
			s.addFields(f.Type, fields)
		case name != "":
			fields[name] = s.ofField(f, t, name)
		}
	}
}

// ofField gives a shape that knows how its list is keyed, which is said by the
// field and not by the type.
func (s *shapes) ofField(f reflect.StructField, in reflect.Type, name string) *shape {
	plain := s.ofType(f.Type)
	list := listingOf(f, in, name)
	if list.by == byIndex {
		return plain
	}
	keyed := *plain
	keyed.list = list
	return &keyed
}
