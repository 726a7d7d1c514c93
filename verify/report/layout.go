package report

import (
	"strings"
	"unicode/utf8"
)

// Colours as a terminal takes them.
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

func (t *text) paint(color, s string) string {
	if !t.Color || color == "" {
		return s
	}
	return color + s + reset
}

// line writes text behind an indent; what does not fit goes below, further in.
func (t *text) line(color, indent, s string) {
	for i, line := range t.wrap(s, len(indent)+2) {
		if i > 0 {
			line = "  " + line
		}
		t.WriteString(indent + t.paint(color, line) + "\n")
	}
}

// spread writes parts side by side, or below each other where they don't fit.
func (t *text) spread(parts []string) {
	const between = "   "
	used := 0
	for i, part := range parts {
		size := visible(part)
		switch {
		case i == 0:
		case t.Width > 0 && used+len(between)+size > t.Width:
			t.WriteString("\n  ")
			used = 2
		default:
			t.WriteString(between)
			used += len(between)
		}
		t.WriteString(part)
		used += size
	}
	t.WriteByte('\n')
}

// wrap breaks text at spaces into lines that fit beside an indent. A word that
// is too long stays whole: names are there to be copied.
func (t *text) wrap(s string, indent int) []string {
	const narrowest = 20
	var lines []string
	for raw := range strings.Lines(s) {
		raw = Printable(strings.TrimSpace(raw))
		if t.Width <= 0 {
			lines = append(lines, raw)
			continue
		}
		room := max(t.Width-indent, narrowest)
		line := ""
		for _, word := range strings.Fields(raw) {
			if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > room {
				lines = append(lines, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		lines = append(lines, line)
	}
	return lines
}

// visible counts what shows of a painted string.
func visible(s string) int {
	n, escaped := 0, false
	for _, r := range s {
		switch {
		case r == '\x1b':
			escaped = true
		case escaped:
			escaped = r != 'm'
		default:
			n++
		}
	}
	return n
}
