package objects

import "strings"

// deepest is how many steps down a comparison explains what it finds. Below,
// values are equal or they are not; no object of Kubernetes is a quarter as deep.
const deepest = 200

// mostFindings is how many differences of two objects are kept, and longestPath how
// much of the way to one: no object of Kubernetes has as many, or one as long. A
// backup may hold what was made to use up memory.
const (
	mostFindings = 1000
	longestPath  = 4096
)

// walker goes through two objects at once and tells what differs. Nothing is
// allocated for what is equal.
type walker struct {
	kind  *kind
	about Case // of the objects; the values are filled in for each rule
	// what is asked of the rules: differences between a backup and what was
	// restored from it, or others.
	mode mode

	steps []step
	found []finding
	// more counts the findings that were not kept.
	more int
	// covered counts what was taken care of: by a rule, or by a default.
	covered int
	expect  func(r *Rule, what string, wanted, found any) // a rule expects it
}

// mode is what two sides have to do with each other.
type mode int8

const (
	restoring mode = iota // Found was made from Wanted
	moving                // the live one has moved on
	keeping               // nothing may differ
)

// finding is a difference that nothing explains.
type finding struct {
	path          string
	what          string
	wanted, found any
}

// begin makes it ready for two objects.
func (w *walker) begin(k *kind, m mode, about Case) {
	w.kind, w.mode, w.about = k, m, about
	w.steps, w.found, w.more, w.covered = w.steps[:0], w.found[:0], 0, 0
}

func (w *walker) push(s step) { w.steps = append(w.steps, s) }
func (w *walker) pop()        { w.steps = w.steps[:len(w.steps)-1] }

// objects compares two whole objects.
func (w *walker) objects(wanted, found map[string]any) {
	skip := w.kind.skips[w.mode]
	if skip.rule != nil {
		if !sameMaps(wanted, found) {
			w.covered++
			w.expect(skip.rule, Changed, wanted, found)
		}
		return
	}
	w.maps(wanted, found, w.kind.shape, skip)
}

// values compares what is at the place that the walker stands at.
func (w *walker) values(wanted, found any, s *shape, skip *skips) {
	if wanted == nil || found == nil {
		if value := either(wanted, found); value != nil {
			w.oneSided(value, s, found == nil, true)
		}
		return
	}
	if len(w.steps) >= deepest {
		if !same(wanted, found) {
			w.emit(Changed, wanted, found)
		}
		return
	}
	switch x := wanted.(type) {
	case map[string]any:
		if y, ok := found.(map[string]any); ok {
			w.maps(x, y, s, skip)
			return
		}
	case []any:
		if y, ok := found.([]any); ok {
			w.lists(x, y, s)
			return
		}
	}
	if !same(wanted, found) && !alike(wanted, found, s) {
		w.emit(Changed, wanted, found)
	}
}

func (w *walker) maps(wanted, found map[string]any, s *shape, skip *skips) {
	for name, x := range wanted {
		w.field(name, x, found[name], s, skip)
	}
	for name, y := range found {
		if _, ok := wanted[name]; !ok {
			w.field(name, nil, y, s, skip)
		}
	}
}

func (w *walker) field(name string, wanted, found any, s *shape, skip *skips) {
	below := skip.below(name)
	w.push(step{name: name, wanted: wanted, found: found})
	if below == nil || below.rule == nil {
		w.values(wanted, found, s.field(name), below)
	} else if !same(wanted, found) {
		w.covered++
		w.expect(below.rule, Changed, wanted, found)
	}
	w.pop()
}

// oneSided takes a value that one side has and the other has not. It is one
// difference, unless something inside of it is explained by a rule or is a
// default: then the rest is told one by one. defaults says that the API server
// would have filled in the fields here.
func (w *walker) oneSided(value any, s *shape, missing, defaults bool) {
	what, wanted, found := Extra, any(nil), value
	if missing {
		what, wanted, found = Missing, value, nil
	}
	switch {
	case s.hollow() && empty(value, s):
		return
	case defaults && w.isDefault(value, s):
		w.covered++
		return
	case len(w.steps) >= deepest:
		w.emit(what, wanted, found)
		return
	case w.explained(what, wanted, found):
		return
	}
	defaults = defaults && (s.hollow() || w.madeByDefault())
	before, more, covered := len(w.found), w.more, w.covered
	switch v := value.(type) {
	case map[string]any:
		for name, inside := range v {
			if inside == nil {
				continue
			}
			w.push(sided(step{name: name}, inside, missing))
			w.oneSided(inside, s.field(name), missing, defaults)
			w.pop()
		}
	case []any:
		list := stepsOf(s, v)
		for i, inside := range v {
			w.push(sided(list.stepTo(inside, i), inside, missing))
			w.oneSided(inside, s.item(), missing, false)
			w.pop()
		}
	default:
		w.add(what, wanted, found)
		return
	}
	if w.covered == covered && (len(w.found)+w.more > before+more || !s.hollow()) {
		w.found, w.more = w.found[:before], more
		w.add(what, wanted, found)
	}
}

// sided gives a step its values.
func sided(s step, value any, missing bool) step {
	if missing {
		s.wanted = value
	} else {
		s.found = value
	}
	return s
}

// emit tells a difference, unless a rule expects it.
func (w *walker) emit(what string, wanted, found any) {
	if !w.explained(what, wanted, found) {
		w.add(what, wanted, found)
	}
}

func (w *walker) add(what string, wanted, found any) {
	if len(w.found) >= mostFindings {
		w.more++
		return
	}
	path := render(w.steps)
	if len(path) > longestPath {
		path = strings.Clone(path[:longestPath]) + "…"
	}
	w.found = append(w.found, finding{path: path, what: what, wanted: wanted, found: found})
}

// explained asks the rules.
func (w *walker) explained(what string, wanted, found any) bool {
	r := w.kind.ruleFor(w, what)
	if r == nil {
		return false
	}
	w.covered++
	w.expect(r, what, wanted, found)
	return true
}

// whatAt says what a difference at the place where the walker stands is to the
// value that n steps lead to: when that is there on both sides, it has changed.
func (w *walker) whatAt(n int, what string) string {
	switch {
	case w.mode == moving:
		return Moved
	case w.mode == keeping:
		return BackupAltered
	case n == len(w.steps) || what == Reference:
		return what
	case n == 0:
		return Changed
	}
	switch at := &w.steps[n-1]; {
	case nothing(at.wanted):
		return Extra
	case nothing(at.found):
		return Missing
	default:
		return Changed
	}
}

func either(a, b any) any {
	if a == nil {
		return b
	}
	return a
}

// nothing says that a value is null, or a list or map without anything in it.
func nothing(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	default:
		return false
	}
}

// empty says that a value is what its type has when nobody sets it.
func empty(value any, s *shape) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == "" || s.quantity && v == "0"
	case bool:
		return !v
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, inside := range v {
			if inside != nil {
				return false
			}
		}
		return true
	default:
		n, ok := numberOf(v)
		return ok && n == number{isWhole: true}
	}
}
