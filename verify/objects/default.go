package objects

import "slices"

// Default is a value that the API server fills in where a field is absent, so
// that the field absent on one side and with this value on the other is equal.
type Default struct {
	Kinds []string // as in Rule
	Path  string   // as in Rule
	// Value is what is filled in; an empty map where an object is made whose own
	// fields have defaults, an empty one included.
	Value any
	// Of gives the value where it depends on what stands around the field, nil
	// for none; Words say how. Value is then nil, or the empty map.
	Of    func(Around) any
	Words string
	// Source is the file of github.com/kubernetes/kubernetes that does it.
	Source string
}

// Around is what stands around a field, on the side that has it.
type Around struct{ w *walker }

// Name is the last step to the field: its name, or key.
func (a Around) Name() string { return a.w.steps[len(a.w.steps)-1].name }

// In gives the object that the field is in; 2 for the one around that, and so
// on. It is empty where there is none.
func (a Around) In(levels int) map[string]any {
	steps := a.w.steps
	n := len(steps) - 1 - levels
	if n < 0 {
		return a.root()
	}
	in := steps[n].found
	if a.wanted() {
		in = steps[n].wanted
	}
	fields, _ := in.(map[string]any)
	return fields
}

// Across gives the object that the field is in on the other side, which lacks the
// field; empty where that lacks the object too.
func (a Around) Across() map[string]any {
	n := len(a.w.steps) - 2
	if n < 0 {
		return nil
	}
	in := a.w.steps[n].wanted
	if a.wanted() {
		in = a.w.steps[n].found
	}
	fields, _ := in.(map[string]any)
	return fields
}

// wanted says that the wanted side has the field.
func (a Around) wanted() bool { return a.w.steps[len(a.w.steps)-1].wanted != nil }

// root is the whole object.
func (a Around) root() map[string]any {
	if a.wanted() {
		return a.w.about.WantedObject.Object
	}
	return a.w.about.FoundObject.Object
}

type compiledDefault struct {
	Default
	pattern pattern
}

func (d *Default) about(kind string) bool {
	return slices.Contains(d.Kinds, kind) || slices.Contains(d.Kinds, "*")
}

func (d *compiledDefault) at(steps []step) bool {
	return len(d.pattern) == len(steps) && d.pattern.matches(steps)
}

// value is what the API server fills in; nil for nothing.
func (d *Default) value(around Around) any {
	if d.Of == nil {
		return d.Value
	}
	switch value := d.Of(around); {
	case value != nil && d.Value != nil:
		return d.Value
	default:
		return value
	}
}

// isDefault says that the API server would have filled in this value at the
// place where the walker stands.
func (w *walker) isDefault(value any, s *shape) bool {
	for i := range w.kind.defaults {
		d := &w.kind.defaults[i]
		if !d.at(w.steps) {
			continue
		}
		filledIn := d.value(Around{w})
		if filledIn != nil && (same(value, filledIn) || alike(value, filledIn, s)) {
			return true
		}
	}
	return false
}

// madeByDefault says that the API server makes the object at this place where
// it is absent.
func (w *walker) madeByDefault() bool {
	for i := range w.kind.defaults {
		d := &w.kind.defaults[i]
		if _, object := d.Value.(map[string]any); object && d.at(w.steps) && d.value(Around{w}) != nil {
			return true
		}
	}
	return false
}
