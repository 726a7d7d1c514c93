package scenarios

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// semantic adds problems that validation found, at the places of their fields.
// It leaves out what only follows from a problem reported already.
func (r *reader) semantic(list ...*field.Error) {
	for _, found := range list {
		missing := found.Type == field.ErrorTypeRequired
		if r.isSpoiled(found.Field) || missing && r.strange[found.Field] {
			continue
		}
		r.spoiled[found.Field] = true
		at := r.place(found.Field)
		message, hint := words(found)
		r.problems = append(r.problems, Problem{
			File: r.file, Line: at.Line, Column: at.Column, Field: found.Field,
			Message: message, Hint: hint, PastLimits: found.Origin == pastLimits})
	}
}

// words says a problem the way this package does.
func words(found *field.Error) (message, hint string) {
	switch found.Type {
	case field.ErrorTypeRequired:
		return "required", found.Detail
	case field.ErrorTypeNotSupported:
		allowed := quoted(found.Detail)
		value := fmt.Sprint(found.BadValue)
		if meant, ok := nearest(value, allowed); ok {
			hint = fmt.Sprintf("did you mean %q?", meant)
		}
		return fmt.Sprintf("%q is not one of %s", clip(value), strings.Join(allowed, ", ")), hint
	case field.ErrorTypeDuplicate:
		return fmt.Sprintf("%q is used twice", clip(fmt.Sprint(found.BadValue))), ""
	case field.ErrorTypeForbidden:
		return found.Detail, ""
	}
	if text, ok := found.BadValue.(string); ok {
		return fmt.Sprintf("invalid value %q: %s", clip(text), found.Detail), ""
	}
	return fmt.Sprintf("invalid value %v: %s", found.BadValue, found.Detail), ""
}

// quoted gives the quoted words of a text: field.NotSupported keeps the
// allowed values only there.
func quoted(text string) []string {
	var words []string
	for {
		start := strings.IndexByte(text, '"')
		if start < 0 {
			return words
		}
		prefix, err := strconv.QuotedPrefix(text[start:])
		if err != nil {
			return words
		}
		if word, err := strconv.Unquote(prefix); err == nil {
			words = append(words, word)
		}
		text = text[start+len(prefix):]
	}
}

// place finds where a field stands; for one that is missing, where the nearest
// field around it does.
func (r *reader) place(path string) *yaml.Node {
	for ; path != ""; path = parent(path) {
		if at, ok := r.places[path]; ok {
			return at
		}
	}
	return r.root
}

// isSpoiled says that the field, or one around it, is reported already.
func (r *reader) isSpoiled(path string) bool {
	for ; path != ""; path = parent(path) {
		if r.spoiled[path] {
			return true
		}
	}
	return r.spoiled[""]
}

// parent cuts the last step off a path: "a.b[1].c", "a.b[1]", "a.b", "a".
func parent(path string) string {
	if strings.HasSuffix(path, "]") {
		return path[:max(strings.LastIndexByte(path, '['), 0)]
	}
	return path[:max(strings.LastIndexByte(path, '.'), 0)]
}
