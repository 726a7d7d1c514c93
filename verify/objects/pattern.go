package objects

import (
	"strconv"
	"strings"
)

// step is one step from a value to one inside of it.
type step struct {
	sort stepSort
	// name is that of a field, or the value of an item's key.
	name string
	// key is what the item's key is called: "name" in [name=web].
	key   string
	index int
	// wanted and found are the values there.
	wanted, found any
}

type stepSort int8

const (
	field   stepSort = iota // .spec, .labels[a.b/c]
	keyed                   // [name=web]
	valued                  // [kubernetes.io/pvc-protection], an item of a set of texts
	indexed                 // [0]
)

// text is what stands between brackets, or after a dot.
func (s *step) text() string {
	switch s.sort {
	case keyed:
		return s.key + "=" + s.name
	case indexed:
		return strconv.Itoa(s.index)
	default:
		return s.name
	}
}

// pattern is a path with wildcards, taken apart.
type pattern []glob

// glob matches one step: literally, or with * for any text.
type glob struct {
	text  string
	plain bool
}

// parsePattern takes a path apart: steps are parted by dots, and what is in
// brackets is one step whatever it holds.
func parsePattern(path string) pattern {
	var p pattern
	for path != "" {
		var text string
		switch path[0] {
		case '.':
			path = path[1:]
			continue
		case '[':
			text, path, _ = strings.Cut(path[1:], "]")
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			text, path = path[:end], path[end:]
		}
		p = append(p, glob{text: text, plain: !strings.Contains(text, "*") && text != anyContainers})
	}
	return p
}

// plain says that there is no wildcard in it.
func (p pattern) plain() bool {
	for _, g := range p {
		if !g.plain {
			return false
		}
	}
	return true
}

// matches says whether the pattern is a beginning of the path, or all of it.
func (p pattern) matches(steps []step) bool {
	if len(p) > len(steps) {
		return false
	}
	for i := range p {
		if !p[i].matches(&steps[i]) {
			return false
		}
	}
	return true
}

func (g glob) matches(s *step) bool {
	switch {
	case g.text == "*":
		return true
	case g.text == anyContainers:
		return s.name == "containers" || s.name == "initContainers" || s.name == "ephemeralContainers"
	case !g.plain:
		return wild(g.text, s.text())
	case s.sort == keyed: // without joining the two
		value, ok := strings.CutPrefix(g.text, s.key)
		return ok && strings.HasPrefix(value, "=") && value[1:] == s.name
	default:
		return g.text == s.text()
	}
}

// wild matches text against a pattern in which * stands for any text.
func wild(pattern, text string) bool {
	first, rest, more := strings.Cut(pattern, "*")
	if !strings.HasPrefix(text, first) {
		return false
	}
	if !more {
		return pattern == text
	}
	text = text[len(first):]
	for {
		part, next, again := strings.Cut(rest, "*")
		if !again {
			return strings.HasSuffix(text, part)
		}
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text, rest = text[at+len(part):], next
	}
}
