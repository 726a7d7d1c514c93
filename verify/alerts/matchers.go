package alerts

import (
	"regexp"
	"strconv"
	"strings"

	"gameday.dev/gameday/internal/prometheus"
)

// answer is what can be known beforehand: not all labels of an alert are.
type answer int

const (
	no answer = iota
	maybe
	yes
)

// matcher is one condition on a label, in Alertmanager's language.
type matcher struct {
	name, op, value string
}

// matches judges by the known labels. An unknown label may have any value, so
// nothing is certain of it.
func (m matcher) matches(labels map[string]string) answer {
	value, known := labels[m.name]
	if !known || m.op == "" || strings.Contains(value, "{{") {
		return maybe
	}
	equal := value == m.value
	if m.op == "=~" || m.op == "!~" {
		pattern, err := regexp.Compile("^(?:" + m.value + ")$")
		if err != nil {
			return maybe
		}
		equal = pattern.MatchString(value)
	}
	if equal == (m.op[0] == '=') {
		return yes
	}
	return no
}

// parseMatchers reads a matcher, or several in braces or between commas. What
// it does not understand becomes a matcher that is never certain.
func parseMatchers(text string) []matcher {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") {
		text = text[1 : len(text)-1]
	}
	var all []matcher
	for _, part := range splitOutsideQuotes(text) {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, parseMatcher(part))
		}
	}
	return all
}

func parseMatcher(text string) matcher {
	at := strings.IndexAny(text, "=!")
	if at <= 0 || at+1 >= len(text) {
		return matcher{}
	}
	op := text[at : at+1]
	if next := text[at+1]; next == '~' || op == "!" && next == '=' {
		op = text[at : at+2]
	}
	if op == "!" {
		return matcher{}
	}
	return matcher{name: unquote(text[:at]), op: op, value: unquote(text[at+len(op):])}
}

func unquote(text string) string {
	text = strings.TrimSpace(text)
	if plain, err := strconv.Unquote(text); err == nil && strings.HasPrefix(text, `"`) {
		return plain
	}
	return text
}

func splitOutsideQuotes(text string) []string {
	var parts []string
	start := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += quoted(text[i:]) - 1
		case ',':
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

// silences says whether a silence covers an alert with these labels.
func silences(silence prometheus.Silence, labels map[string]string) answer {
	all := yes
	for _, one := range silence.Matchers {
		op := "="
		if one.IsEqual != nil && !*one.IsEqual {
			op = "!"
		}
		switch {
		case one.IsRegex:
			op += "~"
		case op == "!":
			op = "!="
		}
		all = min(all, matcher{name: one.Name, op: op, value: one.Value}.matches(labels))
	}
	return all
}
