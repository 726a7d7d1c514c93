package alerts

import (
	"slices"
	"strings"
)

// metricsOf finds the metrics that an expression needs in order to be true.
// It is no parser of PromQL: it leaves out what absent() asks for, since that
// is true without the metric, and whatever it does not recognise.
func metricsOf(query string) []string {
	var names []string
	for i := 0; i < len(query); {
		switch c := query[i]; {
		case c == '#':
			i += until(query[i:], '\n')
		case c == '"' || c == '\'' || c == '`':
			i += quoted(query[i:])
		case c == '{' || c == '[':
			i += enclosed(query[i:])
		case isDigit(c) || c == '.':
			i += word(query[i:]) // 5m, 0x1F, 1e9
		case isLetter(c):
			length := word(query[i:])
			name := query[i : i+length]
			i += length
			rest := strings.TrimLeft(query[i:], " \t\r\n")
			called := strings.HasPrefix(rest, "(")
			switch lower := strings.ToLower(name); {
			case called && (lower == "absent" || lower == "absent_over_time" || slices.Contains(groupings(), lower)):
				i = len(query) - len(rest)
				i += enclosed(query[i:])
			case called || slices.Contains(keywords(), lower) || aggregates(rest):
			default:
				names = append(names, name)
			}
		default:
			i++
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// groupings take label names in parentheses.
func groupings() []string {
	return []string{"by", "without", "on", "ignoring", "group_left", "group_right"}
}

func keywords() []string {
	return append(groupings(), "and", "or", "unless", "atan2", "offset", "bool", "inf", "nan", "start", "end")
}

// aggregates recognises "sum by (x) (…)", where the name is not followed by its parenthesis.
func aggregates(rest string) bool {
	rest = strings.ToLower(rest)
	return strings.HasPrefix(rest, "by") && followed(rest[2:]) || strings.HasPrefix(rest, "without") && followed(rest[7:])
}

func followed(rest string) bool { return strings.HasPrefix(strings.TrimLeft(rest, " \t\r\n"), "(") }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':'
}

func word(s string) int {
	n := 0
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n]) || s[n] == '.') {
		n++
	}
	return max(n, 1)
}

func until(s string, end byte) int {
	if n := strings.IndexByte(s, end); n >= 0 {
		return n + 1
	}
	return len(s)
}

// quoted is the length of the string that s begins with.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] != '`':
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(s)
}

// enclosed is the length of the bracket that s begins with.
func enclosed(s string) int {
	depth := 0
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\'' || c == '`':
			i += quoted(s[i:])
			continue
		case strings.IndexByte("({[", c) >= 0:
			depth++
		case strings.IndexByte(")}]", c) >= 0:
			depth--
		}
		i++
		if depth == 0 {
			return i
		}
	}
	return len(s)
}
