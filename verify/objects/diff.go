package objects

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Diff compares two objects and tells it twice: as a unified diff of their
// YAML, without what the server writes (status, uid, managedFields, …) and
// without values of Secrets, and field by field, in the order of paths, also
// what a rule expects. The caller's rules are asked before Kubernetes' own.
// unified is empty when the YAML is the same; either object may be nil.
func Diff(resource Resource, wanted, found *unstructured.Unstructured, rules ...Rule) (unified string, byPath []Difference) {
	r := newRun(Comparison{Rules: rules}, mapping{})
	r.subject = subject{resource: resource}
	r.kind = r.kinds.of(resource)
	if wanted == nil || found == nil {
		return r.unified(wanted, found), nil
	}
	return r.unified(wanted, found), r.byPath(wanted, found)
}

// byPath tells every difference, also those that a rule expects.
func (r *run) byPath(wanted, found *unstructured.Unstructured) (byPath []Difference) {
	at := placeOf(wanted)
	r.walker.expect = func(rule *Rule, what string, x, y any) {
		d := r.difference(at, Expected, what, render(r.walker.steps))
		d.Wanted, d.Found = r.kind.renderPair(x, y)
		d.Rule, d.Why = rule.Name, rule.Why
		byPath = append(byPath, d)
	}
	for _, f := range r.walk(restoring, wanted, found) {
		d := r.difference(at, Loss, f.what, f.path)
		d.Wanted, d.Found = r.kind.renderPair(f.wanted, f.found)
		byPath = append(byPath, d)
	}
	slices.SortStableFunc(byPath, func(a, b Difference) int { return cmp.Compare(a.Path, b.Path) })
	return byPath
}

func (r *run) unified(wanted, found *unstructured.Unstructured) string {
	a, b := r.kind.shown(wanted), r.kind.shown(found)
	if r.kind.secret {
		conceal(a, b)
	}
	return unify(lines(a), lines(b))
}

// shown is a copy of an object without what the server writes.
func (k *kind) shown(o *unstructured.Unstructured) map[string]any {
	if o == nil {
		return map[string]any{}
	}
	shown := (&unstructured.Unstructured{Object: k.prepared(o)}).DeepCopy().Object
	prune(shown, k.skips[moving]) // the fields that change by themselves
	return shown
}

func prune(fields map[string]any, skip *skips) {
	for name, below := range skip.fields {
		if inside, ok := fields[name].(map[string]any); ok && below.rule == nil {
			prune(inside, below)
		} else if below.rule != nil {
			delete(fields, name)
		}
	}
}

// lines gives an object as lines of YAML; none for an empty one.
func lines(fields map[string]any) []string {
	if len(fields) == 0 {
		return nil
	}
	data, err := yaml.Marshal(fields)
	if err != nil { // a number that JSON does not have; the error may quote it
		return []string{"an object that YAML does not have"}
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}
