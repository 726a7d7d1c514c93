package apiserver

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// pathsShown bounds how many fields of one object are named.
const pathsShown = 5

// differences names the fields in which two objects differ, never their values:
// "data.color differs, spec.ports[1] is missing". Empty when they are the same
// but for how they are written.
func differences(living, restored json.RawMessage) string {
	a, errA := decode(living)
	b, errB := decode(restored)
	if errA != nil || errB != nil {
		return "it can't be read"
	}
	found := &fieldList{}
	found.compare("", a, b)
	words := strings.Join(found.words, ", ")
	if more := found.count - len(found.words); more > 0 {
		words += fmt.Sprintf(" and %d more", more)
	}
	return words
}

func decode(raw json.RawMessage) (value any, err error) {
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber() // large integers stay what they are
	err = decoder.Decode(&value)
	return value, err
}

type fieldList struct {
	words []string
	count int
}

func (l *fieldList) add(path, what string) {
	if path == "" {
		path = "all of it"
	}
	l.count++
	if len(l.words) < pathsShown {
		l.words = append(l.words, path+" "+what)
	}
}

func (l *fieldList) compare(path string, living, restored any) {
	switch living := living.(type) {
	case map[string]any:
		if restored, same := restored.(map[string]any); same {
			l.compareMaps(path, living, restored)
			return
		}
	case []any:
		if restored, same := restored.([]any); same {
			l.compareLists(path, living, restored)
			return
		}
	default:
		if living == restored { // text, numbers, booleans, null
			return
		}
	}
	l.add(path, "differs")
}

func (l *fieldList) compareMaps(path string, living, restored map[string]any) {
	if strings.HasSuffix(path, ".fieldsV1") {
		// Its keys are made of values: k:{"name":"web"}.
		if !equal(living, restored) {
			l.add(path, "differs")
		}
		return
	}
	all := maps.Clone(living)
	maps.Copy(all, restored)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		a, inLiving := living[name]
		b, inRestored := restored[name]
		at := member(path, name)
		switch {
		case !inRestored:
			l.add(at, "is missing")
		case !inLiving:
			l.add(at, "is extra")
		default:
			l.compare(at, a, b)
		}
	}
}

func (l *fieldList) compareLists(path string, living, restored []any) {
	for i := range max(len(living), len(restored)) {
		at := path + "[" + strconv.Itoa(i) + "]"
		switch {
		case i >= len(restored):
			l.add(at, "is missing")
		case i >= len(living):
			l.add(at, "is extra")
		default:
			l.compare(at, living[i], restored[i])
		}
	}
}

func equal(a, b any) bool {
	found := &fieldList{}
	switch a := a.(type) {
	case map[string]any:
		b, same := b.(map[string]any)
		return same && maps.EqualFunc(a, b, equal)
	default:
		found.compare("", a, b)
		return found.count == 0
	}
}

// member is the path of a field, with names that are no identifiers in quotes.
func member(path, name string) string {
	plain := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
	switch {
	case !plain:
		return path + "[" + strconv.Quote(name) + "]"
	case path == "":
		return name
	default:
		return path + "." + name
	}
}
