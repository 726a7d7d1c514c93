package objects

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"gameday.dev/gameday/internal/markdown"
)

const (
	page   = "../../docs/experiments/veleroRestore-rules.md"
	marker = "<!-- What follows is written by go generate ./verify/objects. -->\n"
)

// The page of rules says what the code says.
func TestRulesPage(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	written, _, ok := strings.Cut(string(data), marker)
	if !ok {
		t.Fatalf("%s has lost its marker", page)
	}
	golden(t, page, written+marker+tables())
}

func tables() string {
	var rules, refs, defaults [][]string
	for _, r := range Rules() {
		rules = append(rules, []string{link(r.Name, r.Source), kindsOf(r.Kinds), markdown.Code(r.Path, "the object itself"), whatOf(r), r.Why})
	}
	sorted := references()
	slices.SortStableFunc(sorted, func(a, b reference) int { return strings.Compare(kindsOf(a.kinds), kindsOf(b.kinds)) })
	for _, r := range sorted {
		path := r.path
		if r.key != "" {
			path = strings.TrimSuffix(path, ".values[*]") + "` on `" + r.key
		}
		if r.prefixed {
			path += "` of the form `system:serviceaccounts:…"
		}
		refs = append(refs, []string{kindsOf(r.kinds), markdown.Code(path, "")})
	}
	for _, d := range Defaults() {
		value := d.Words
		if value == "" {
			data, _ := json.Marshal(d.Value)
			value = string(data)
		}
		defaults = append(defaults, []string{link(kindsOf(d.Kinds), d.Source), markdown.Code(d.Path+": "+value, "")})
	}
	return "\n" + markdown.Table([]string{"rule", "kinds", "path", "what", "why"}, 2, rules...) +
		"\n## References to a namespace\n\nTyped references. A value that names a namespace which was restored under another name is a loss; the new name in\nits place is expected.\n\n" +
		markdown.Table([]string{"kinds", "path"}, 1, refs...) +
		"\n## Defaults\n\n" + markdown.Table([]string{"kinds", "defaults"}, 1, defaults...)
}

// link leads to the source of a rule: a URL, or a file of Kubernetes.
func link(text, source string) string {
	switch {
	case strings.HasPrefix(source, "https://"):
	case strings.Contains(source, "/"):
		source = "https://github.com/kubernetes/kubernetes/blob/master/" + source
	default:
		return text
	}
	return markdown.Link(text, source)
}

// kindsOf names kinds shortly; all with a PodSpec are one.
func kindsOf(kinds []string) string {
	if slices.Equal(kinds, podKinds()) {
		return "all with a PodSpec"
	}
	var short []string
	for _, kind := range kinds {
		name, _, _ := strings.Cut(kind, ".")
		if name == "*" {
			name = "all"
		}
		if !slices.Contains(short, name) {
			short = append(short, name)
		}
	}
	return strings.Join(short, ", ")
}

func whatOf(r Rule) string {
	if len(r.What) == 0 {
		return "any"
	}
	var words []string
	for _, what := range r.What {
		if what == Moved {
			what = "drift"
		}
		words = append(words, what)
	}
	if slices.Equal(r.What, always()) {
		return "any, drift too"
	}
	if slices.Equal(r.What, bothWays()) {
		return "any"
	}
	return strings.Join(words, ", ")
}
