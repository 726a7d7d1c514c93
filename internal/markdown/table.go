// Package markdown writes the tables of pages that are generated.
package markdown

import (
	"fmt"
	"strings"
)

// Table has a row for each of rows. Those that differ in the column at alone are put
// together there; at is negative where none are.
func Table(columns []string, at int, rows ...[]string) string {
	var all [][]string
	for _, row := range rows {
		same := false
		for _, other := range all {
			if same = at >= 0 && differOnlyAt(at, row, other); same {
				other[at] += "<br>" + row[at]
				break
			}
		}
		if !same {
			all = append(all, row)
		}
	}
	var b strings.Builder
	b.WriteString(line(columns))
	b.WriteString("|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, row := range all {
		b.WriteString(line(row))
	}
	return b.String()
}

func line(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func differOnlyAt(at int, row, other []string) bool {
	for i := range row {
		if i != at && row[i] != other[i] {
			return false
		}
	}
	return true
}

// Link leads to a URL; without one it is the text alone.
func Link(text, url string) string {
	if url == "" {
		return text
	}
	return fmt.Sprintf("[%s](%s)", text, url)
}

// Code is text as it is typed; otherwise where there is none.
func Code(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return "`" + text + "`"
}

// Between replaces what stands between two lines of a page, and says whether it has
// both.
func Between(page, begin, end, text string) (string, bool) {
	before, rest, begins := strings.Cut(page, begin+"\n")
	_, after, ends := strings.Cut(rest, end+"\n")
	return before + begin + "\n" + text + end + "\n" + after, begins && ends
}
