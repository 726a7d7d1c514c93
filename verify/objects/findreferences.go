package objects

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// compiledReference is a reference with its path taken apart.
type compiledReference struct {
	reference
	pattern pattern
}

// The rules about what names the original's namespace and was restored so.
const (
	absoluteName = "absolute service name"
	customField  = "namespace named by a custom resource"
)

// references finds what in a restored object still names the namespace of the
// original. Fields that are known to be references are losses. Texts, and
// fields of custom resources, are expected: their owner wrote an absolute
// name, and a restore keeps what was written. But a workload that is started in
// a scratch namespace talks to the original then, so they are kept as notes.
func (r *run) references(at place, found *unstructured.Unstructured) {
	if !r.mapping.moved {
		return
	}
	w := &r.walker
	w.begin(r.kind, restoring, Case{Resource: r.kind.resource, FoundObject: found, Namespaces: r.there})
	for i := range r.kind.references {
		ref := &r.kind.references[i]
		w.each(found.Object, ref.pattern, r.kind.shape, func(value string) {
			for original, restored := range r.there {
				if original != restored && ref.names(value, original) && w.selects(ref.key) {
					r.reference(at, value, "it still names the namespace of the original")
				}
			}
		})
	}
	if r.kind.secret {
		return
	}
	w.texts(found.Object, r.kind.shape, func(value string) {
		for original, restored := range r.there {
			if from := serviceIn(value, original); original != restored && from >= 0 {
				r.note(at, absoluteName, strconv.Quote(clip(value, max(0, from-longest/2))), "started here, it talks to the original")
			} else if original != restored && value == original && r.kind.custom && w.inNamespace() {
				r.note(at, customField, strconv.Quote(value), "whoever reads it may act on the original")
			}
		}
	})
}

// reference tells a field that should have followed. One that a rule expects
// is noted, unless it is about what a controller writes anew anyway.
func (r *run) reference(at place, value, why string) {
	switch rule := r.kind.ruleFor(&r.walker, Reference); {
	case rule == nil:
		d := r.difference(at, Loss, Reference, render(r.walker.steps))
		_, d.Found = r.kind.renderPair(nil, value)
		d.Why = why
		r.tell(d)
	case rule.silent:
		r.expected(rule)
	default:
		_, shown := r.kind.renderPair(nil, value)
		r.note(at, rule.Name, shown, why)
	}
}

// note counts what is expected, by a rule of the caller's if there is one, and
// keeps it to be read.
func (r *run) note(at place, rule, value, why string) {
	if callers := r.kind.ruleFor(&r.walker, Reference); callers != nil {
		rule = callers.Name
	}
	r.result.Expected[rule]++
	r.result.NoteCount++
	if len(r.result.Notes) < r.Keep {
		d := r.difference(at, Expected, Reference, render(r.walker.steps))
		d.Found, d.Rule, d.Why = value, rule, why
		r.result.Notes = append(r.result.Notes, d)
	}
}

// each calls back for every text at a path.
func (w *walker) each(value any, p pattern, s *shape, found func(string)) {
	if len(p) == 0 {
		if text, ok := value.(string); ok {
			found(text)
		}
		return
	}
	enter := func(at step, inside any, s *shape) {
		at.found = inside
		if p[0].matches(&at) {
			w.push(at)
			w.each(inside, p[1:], s, found)
			w.pop()
		}
	}
	switch v := value.(type) {
	case map[string]any:
		if p[0].plain {
			if inside, ok := v[p[0].text]; ok {
				enter(step{name: p[0].text}, inside, s.field(p[0].text))
			}
			return
		}
		for name, inside := range v {
			enter(step{name: name}, inside, s.field(name))
		}
	case []any:
		list := stepsOf(s, v)
		for i, inside := range v {
			enter(list.stepTo(inside, i), inside, s.item())
		}
	}
}

// selects says whether the value at hand is one of a requirement on that
// label; any is when it is empty.
func (w *walker) selects(label string) bool {
	if label == "" {
		return true
	}
	n := len(w.steps) - 3 // matchExpressions[i].values[j]
	if n < 0 {
		return false
	}
	requirement, _ := w.steps[n].found.(map[string]any)
	return requirement["key"] == label
}

// texts calls back for every text that an owner writes: not for what the server
// keeps, and not for the copy that kubectl apply keeps of the whole.
func (w *walker) texts(value any, s *shape, found func(string)) {
	switch v := value.(type) {
	case string:
		found(v)
	case map[string]any:
		for name, inside := range v {
			if w.ours(name) {
				w.push(step{name: name, found: inside})
				w.texts(inside, s.field(name), found)
				w.pop()
			}
		}
	case []any:
		if len(w.steps) >= deepest {
			return
		}
		for i, inside := range v {
			w.push(step{sort: indexed, index: i, found: inside})
			w.texts(inside, s.item(), found)
			w.pop()
		}
	}
}

// ours says whether an owner writes the field below the place at hand.
func (w *walker) ours(name string) bool {
	switch {
	case len(w.steps) >= deepest:
		return false
	case len(w.steps) == 0:
		return name != "status"
	case len(w.steps) == 1 && w.steps[0].name == "metadata":
		return name == "annotations"
	default:
		return name != lastApplied
	}
}

// inNamespace says that the text at hand is a field called namespace, or in a
// list called namespaces.
func (w *walker) inNamespace() bool {
	n := len(w.steps)
	switch last := w.steps[n-1]; {
	case last.sort == field:
		return last.name == "namespace"
	case n > 1:
		return w.steps[n-2].name == "namespaces"
	default:
		return false
	}
}

// serviceIn says where a text has the full name of a Service of the namespace:
// <service>.<namespace>.svc; -1 when it has none.
func serviceIn(text, namespace string) int {
	for from := 0; ; {
		at := strings.Index(text[from:], namespace+".svc")
		if at < 0 {
			return -1
		}
		at += from
		end := at + len(namespace) + len(".svc")
		if at > 1 && text[at-1] == '.' && inName(text[at-2]) && (end == len(text) || !inName(text[end])) {
			return at
		}
		from = at + 1
	}
}

func inName(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-'
}
