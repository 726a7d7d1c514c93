package objects

import (
	"fmt"
	"strings"
)

const (
	// around is how many lines are shown before and after a change.
	around = 3
	// mostCells bounds the work of finding what two texts have in common; beyond,
	// all between the first and the last difference counts as changed.
	mostCells = 4 << 20
)

// edit is one line of a diff: ' ' in both, '-' in the first, '+' in the second.
type edit struct {
	sort byte
	line string
}

// unify writes a unified diff; it is empty when there is no difference.
func unify(a, b []string) string {
	edits := compareLines(a, b)
	var out strings.Builder
	for from := 0; from < len(edits); {
		if edits[from].sort == ' ' {
			from++
			continue
		}
		start := max(0, from-around)
		end := hunkEnd(edits, from)
		if out.Len() == 0 {
			out.WriteString("--- wanted\n+++ found\n")
		}
		writeHunk(&out, edits, start, end)
		from = end
	}
	return out.String()
}

// hunkEnd finds where a hunk ends: where more lines are the same than would be
// shown between two changes.
func hunkEnd(edits []edit, from int) int {
	last := from
	for i := from; i < len(edits) && i <= last+2*around+1; i++ {
		if edits[i].sort != ' ' {
			last = i
		}
	}
	return min(len(edits), last+around+1)
}

func writeHunk(out *strings.Builder, edits []edit, start, end int) {
	lineOf := func(upTo int, without byte) (n int) {
		for _, e := range edits[:upTo] {
			if e.sort != without {
				n++
			}
		}
		return n
	}
	a, b := lineOf(start, '+'), lineOf(start, '-')
	fmt.Fprintf(out, "@@ -%s +%s @@\n", span(a, lineOf(end, '+')-a), span(b, lineOf(end, '-')-b))
	for _, e := range edits[start:end] {
		out.WriteByte(e.sort)
		out.WriteString(e.line + "\n")
	}
}

// span writes the lines of a hunk as diff does: first line and how many; with
// none, the line before.
func span(before, count int) string {
	if count > 0 {
		before++
	}
	return fmt.Sprintf("%d,%d", before, count)
}

// compareLines finds a longest common subsequence.
func compareLines(a, b []string) []edit {
	var head, tail []edit
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		head = append(head, edit{' ', a[0]})
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		tail = append(tail, edit{' ', a[len(a)-1]})
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	edits := append(head, middle(a, b)...)
	for i := len(tail) - 1; i >= 0; i-- {
		edits = append(edits, tail[i])
	}
	return edits
}

func middle(a, b []string) []edit {
	var edits []edit
	i, j := 0, 0
	if len(a)*len(b) <= mostCells {
		common := commonLengths(a, b)
		for i < len(a) && j < len(b) {
			switch {
			case a[i] == b[j]:
				edits = append(edits, edit{' ', a[i]})
				i, j = i+1, j+1
			case common[i+1][j] >= common[i][j+1]:
				edits = append(edits, edit{'-', a[i]})
				i++
			default:
				edits = append(edits, edit{'+', b[j]})
				j++
			}
		}
	}
	for ; i < len(a); i++ {
		edits = append(edits, edit{'-', a[i]})
	}
	for ; j < len(b); j++ {
		edits = append(edits, edit{'+', b[j]})
	}
	return edits
}

// commonLengths gives, for each pair of ends, the length of what they have in common.
func commonLengths(a, b []string) [][]int32 {
	cells := make([]int32, (len(a)+1)*(len(b)+1))
	common := make([][]int32, len(a)+1)
	for i := range common {
		common[i] = cells[i*(len(b)+1) : (i+1)*(len(b)+1)]
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	return common
}
