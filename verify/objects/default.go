package objects

import "slices"

// Default is a value that the API server fills in where a field is absent, so
// that the field absent on one side and with this value on the other is equal.
type Default struct {
	Kinds []string // as in Rule
	Path  string   // as in Rule
	// Value is what is filled in; an empty map where an object is made whose own
	// fields have defaults.
	Value any
	// Of gives the value where it depends on what stands beside the field; nil
	// when Value is it.
	Of func(beside map[string]any) any
	// Source is where the API server does it.
	Source string
}

type compiledDefault struct {
	Default
	pattern pattern
}

func (d *Default) about(kind string) bool {
	return slices.Contains(d.Kinds, kind) || slices.Contains(d.Kinds, "*")
}

// isDefault says that the API server would have filled in this value at the
// place where the walker stands.
func (w *walker) isDefault(value any, s *shape) bool {
	for i := range w.kind.defaults {
		d := &w.kind.defaults[i]
		if len(d.pattern) != len(w.steps) || !d.pattern.matches(w.steps) {
			continue
		}
		filledIn := d.Value
		if d.Of != nil {
			filledIn = d.Of(w.beside())
		}
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
		if _, object := d.Value.(map[string]any); object && len(d.pattern) == len(w.steps) && d.pattern.matches(w.steps) {
			return true
		}
	}
	return false
}

// beside gives the fields of the object that the value at hand is in, of the
// side that has it.
func (w *walker) beside() map[string]any {
	n := len(w.steps)
	if n < 2 {
		return nil
	}
	in := w.steps[n-2].wanted
	if w.steps[n-1].wanted == nil {
		in = w.steps[n-2].found
	}
	fields, _ := in.(map[string]any)
	return fields
}
