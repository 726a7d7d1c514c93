package quiesce

import (
	"maps"
	"strings"

	"gameday.dev/gameday/verify/objects"
)

// change is one field of restored objects that is changed. It is written down once:
// the resource modifier that makes it and the rule that expects it come from here.
type change struct {
	// name is the rule's.
	name string
	of   []target
	// path leads to the field, by names; * is each item of a list.
	path []string
	// value is what the field becomes: a scalar. With nil it is taken away.
	value any
	// where says which objects are changed, by what the backup holds of them; nil:
	// all.
	where func(object map[string]any) bool
	why   string
}

// target is a sort of objects.
type target struct{ plural, kind, group string }

// resource is how Velero names it: "deployments.apps".
func (t target) resource() string { return joined(t.plural, t.group) }

// kindName is how rules name it: "Deployment.apps".
func (t target) kindName() string { return joined(t.kind, t.group) }

func joined(name, group string) string { return strings.TrimSuffix(name+"."+group, ".") }

// rule expects the change: this value, and no other.
func (c change) rule() objects.Rule {
	var kinds []string
	for _, target := range c.of {
		kinds = append(kinds, target.kindName())
	}
	return objects.Rule{
		Name: c.name, Kinds: kinds, Path: rulePath(c.path), Why: c.why, Source: source,
		When: func(o objects.Case) bool {
			return o.Found == c.value && (c.where == nil || c.where(o.WantedObject.Object))
		},
	}
}

// rulePath writes a path as objects.Rule has it.
func rulePath(path []string) string {
	var b strings.Builder
	for _, step := range path {
		if step == "*" || strings.ContainsAny(step, "./") {
			b.WriteString("[" + step + "]")
		} else {
			b.WriteString("." + step)
		}
	}
	return strings.TrimPrefix(b.String(), ".")
}

// patch is the merge patch that makes the change in an object; which one it is
// matters to lists alone.
func (c change) patch(object map[string]any) map[string]any {
	patch, _ := patchAt(c.path, object, c.value).(map[string]any)
	return patch
}

func patchAt(path []string, at, value any) any {
	if len(path) == 0 {
		return value
	}
	if path[0] != "*" {
		fields, _ := at.(map[string]any)
		return map[string]any{path[0]: patchAt(path[1:], fields[path[0]], value)}
	}
	// A merge patch replaces a list as a whole.
	items, _ := at.([]any)
	all := []any{}
	for _, item := range items {
		fields, _ := item.(map[string]any)
		patch, _ := patchAt(path[1:], fields, value).(map[string]any)
		all = append(all, patched(fields, patch))
	}
	return all
}

// patched gives a copy of fields with a merge patch applied.
func patched(fields, patch map[string]any) map[string]any {
	all := together(fields, patch)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

// together puts two patches into one.
func together(a, b map[string]any) map[string]any {
	all := map[string]any{}
	maps.Copy(all, a)
	for name, value := range b {
		before, ok := all[name].(map[string]any)
		if inside, is := value.(map[string]any); ok && is {
			value = together(before, inside)
		}
		all[name] = value
	}
	return all
}
