package scenarios

import (
	"fmt"
	"strings"

	"gameday.dev/gameday/internal/near"
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
		if d := near.Distance(strings.ToLower(name), strings.ToLower(candidate)); d < bestDistance {
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

func abs(n int) int { return max(n, -n) }
