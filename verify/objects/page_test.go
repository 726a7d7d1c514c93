package objects

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
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
	var b strings.Builder
	b.WriteString("\n| rule | kinds | path | what | why |\n|---|---|---|---|---|\n")
	writeRows(&b, Rules(), func(r Rule) []string {
		return []string{
			link(r.Name, r.Source), kindsOf(r.Kinds), code(r.Path, "the object itself"), whatOf(r), r.Why,
		}
	})
	b.WriteString("\n## References to a namespace\n\nTyped references. A value that names a namespace which was restored under another name is a loss; the new name in\nits place is expected.\n\n| kinds | path |\n|---|---|\n")
	refs := references()
	slices.SortStableFunc(refs, func(a, b reference) int { return strings.Compare(kindsOf(a.kinds), kindsOf(b.kinds)) })
	writeRows(&b, refs, func(r reference) []string {
		path := r.path
		if r.key != "" {
			path = strings.TrimSuffix(path, ".values[*]") + "` on `" + r.key
		}
		if r.prefixed {
			path += "` of the form `system:serviceaccounts:…"
		}
		return []string{kindsOf(r.kinds), code(path, "")}
	})
	b.WriteString("\n## Defaults\n\n| kinds | defaults |\n|---|---|\n")
	writeRows(&b, Defaults(), func(d Default) []string {
		value := d.Words
		if value == "" {
			data, _ := json.Marshal(d.Value)
			value = string(data)
		}
		return []string{link(kindsOf(d.Kinds), d.Source), code(d.Path+": "+value, "")}
	})
	return b.String()
}

// writeRows writes the rows of a table; rows that differ in their path alone are
// put together.
func writeRows[T any](b *strings.Builder, all []T, cells func(T) []string) {
	var rows [][]string
	for _, one := range all {
		row := cells(one)
		at := slices.IndexFunc(row, func(cell string) bool { return strings.HasPrefix(cell, "`") || cell == "the object itself" })
		same := slices.IndexFunc(rows, func(other []string) bool {
			for i := range row {
				if i != at && row[i] != other[i] {
					return false
				}
			}
			return true
		})
		if same >= 0 {
			rows[same][at] += "<br>" + row[at]
			continue
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
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
	return fmt.Sprintf("[%s](%s)", text, source)
}

func code(path, empty string) string {
	if path == "" {
		return empty
	}
	return "`" + path + "`"
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
