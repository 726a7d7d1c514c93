package veleroschedules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// contents is a backup in a few words.
func (b backupSeen) contents() string {
	if b.Items == nil {
		return b.Name
	}
	return fmt.Sprintf("%s, %s", b.Name, count(*b.Items, "item"))
}

// tellLater tells of the attempts that failed since the newest that counts, and
// what the last of them said.
func (s scheduleSeen) tellLater() string {
	text := fmt.Sprintf("%s failed: %s", count(total(s.Later), "attempt"), tellCounts(s.Later))
	last := s.lastFailed()
	if last == nil {
		return text
	}
	why := because(last.Why)
	if why == "" && last.Errors > 0 {
		why = ": " + count(last.Errors, "error")
	}
	return fmt.Sprintf("%s; the last is %s%s", text, last.Name, why)
}

// tellCounts writes what there is how many times.
func tellCounts(counts map[string]int) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[what], what))
	}
	return strings.Join(parts, ", ")
}

func total(counts map[string]int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

func orNone(text string) string { return cmp.Or(text, "(none named)") }
