package scenarios

import (
	"fmt"
	"strings"
)

// nearest finds the known name that was probably meant.
func nearest(name string, known []string) (string, bool) {
	if name == "" {
		return "", false
	}
	best, bestDistance := "", max(1, len(name)/3)+1
	for _, candidate := range known {
		if strings.EqualFold(candidate, name) {
			return candidate, true
		}
		// A length that differs too much needs no closer look.
		if abs(len(candidate)-len(name)) >= bestDistance {
			continue
		}
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best, best != ""
}

// suggest is the hint for an unknown name: the one meant, or the ones known.
func suggest(name string, known []string) string {
	if meant, ok := nearest(name, known); ok {
		return fmt.Sprintf("did you mean %q?", meant)
	}
	if len(known) == 0 {
		return ""
	}
	return "known here: " + strings.Join(known, ", ")
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour that turn a into b.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func abs(n int) int { return max(n, -n) }
