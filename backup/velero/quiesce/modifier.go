package quiesce

import (
	"regexp"
	"strings"
)

// modifiers is Velero's format (site/content/docs/main/restore-resource-modifiers.md).
// JSON is YAML. Rules are applied one after the other to objects that match as they
// were. One that can't be applied is an error of the restore, and the object is
// restored all the same: so what keeps an object quiet is in rules that always can.
type modifiers struct {
	Version string     `json:"version"`
	Rules   []modifier `json:"resourceModifierRules"`
}

type modifier struct {
	Conditions   conditions   `json:"conditions"`
	Patches      []operation  `json:"patches,omitempty"`
	MergePatches []mergePatch `json:"mergePatches,omitempty"`
}

type conditions struct {
	Namespaces    []string `json:"namespaces"`
	GroupResource string   `json:"groupResource"`
	Names         string   `json:"resourceNameRegex,omitempty"`
	// Matches is what an object must hold when Velero has made it ready, before any rule.
	Matches []match `json:"matches,omitempty"`
}

// match is a field and its value: in quotation marks, so that Velero takes no text for
// a number, or null for a field that is absent.
type match struct {
	Path  string `json:"path"`
	Value string `json:"value"`
}

// operation is one of a JSON patch. Velero takes a value that begins with a brace
// or a bracket as JSON, and others as text.
type operation struct {
	Operation string `json:"operation"`
	From      string `json:"from,omitempty"`
	Path      string `json:"path"`
	Value     string `json:"value,omitempty"`
}

type mergePatch struct {
	Data string `json:"patchData"`
}

// merge changes every object of a resource, or those named.
func merge(namespace, resource, patch string, names ...string) modifier {
	return modifier{
		Conditions:   conditions{Namespaces: []string{namespace}, GroupResource: resource, Names: exactly(names)},
		MergePatches: []mergePatch{{Data: patch}},
	}
}

// exactly is a regular expression for these names and no others; empty for all.
func exactly(names []string) string {
	if len(names) == 0 {
		return ""
	}
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, regexp.QuoteMeta(name))
	}
	return "^(" + strings.Join(quoted, "|") + ")$"
}
