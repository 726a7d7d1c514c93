package objects

import (
	"encoding/json"
	"strconv"
	"strings"
)

// longest is how many bytes of a value are shown.
const longest = 160

// render writes a path as people read it:
// spec.template.spec.containers[name=web].image,
// metadata.labels[app.kubernetes.io/name].
func render(steps []step) string {
	var b strings.Builder
	for i := range steps {
		s := &steps[i]
		text := s.text()
		if s.sort != field || !simple(text) {
			b.WriteString("[" + text + "]")
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(text)
	}
	return b.String()
}

// simple says that a name can be told from what stands around it.
func simple(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '$':
		default:
			return false
		}
	}
	return name != ""
}

// scalarText gives a scalar as text, and whether it is one.
func scalarText(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	}
	n, ok := numberOf(value)
	switch {
	case !ok:
		return "", false
	case n.isWhole:
		return strconv.FormatInt(n.whole, 10), true
	default:
		return strconv.FormatFloat(n.fraction, 'g', -1, 64), true
	}
}

// renderValue writes a value on one line, and not more of it than longest.
// Nothing is written as nothing.
func renderValue(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return strconv.Quote(clip(v, 0))
	}
	if text, ok := scalarText(value); ok {
		return text
	}
	data, err := json.Marshal(value)
	if err != nil { // a number that JSON does not have
		return "a value that JSON does not have"
	}
	return clip(string(data), 0)
}

// renderPair writes two values so that it can be seen where they differ.
func renderPair(a, b any) (string, string) {
	x, isText := a.(string)
	y, areTexts := b.(string)
	if !isText || !areTexts || len(x) <= longest && len(y) <= longest {
		return renderValue(a), renderValue(b)
	}
	from := 0
	for from < min(len(x), len(y)) && x[from] == y[from] {
		from++
	}
	from = max(0, from-longest/4)
	return strconv.Quote(clip(x, from)), strconv.Quote(clip(y, from))
}

// clip cuts a text to what is shown of it.
func clip(text string, from int) string {
	from = min(from, len(text))
	to := min(len(text), from+longest)
	clipped := strings.ToValidUTF8(text[from:to], "")
	if from > 0 {
		clipped = "…" + clipped
	}
	if to < len(text) {
		clipped += "…"
	}
	return clipped
}
