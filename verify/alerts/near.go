package alerts

import (
	"slices"
	"strings"
)

// noRule says that a rule is missing, and which ones come near.
func noRule(alert string, rules []alertRule) string {
	line := "there is no alerting rule " + alert
	var names []string
	for _, rule := range rules {
		names = append(names, rule.Name)
	}
	if near := nearest(alert, names); len(near) > 0 {
		return line + "; there is " + strings.Join(near, ", ")
	}
	return line
}

// nearest gives up to three names that may have been meant.
func nearest(wanted string, names []string) []string {
	distance := func(name string) int {
		a, b := strings.ToLower(wanted), strings.ToLower(name)
		if a != "" && (strings.Contains(a, b) || strings.Contains(b, a)) {
			return 1
		}
		return edits(a, b)
	}
	near := slices.DeleteFunc(distinct(names), func(name string) bool { return distance(name) > max(2, len(wanted)/3) })
	slices.SortStableFunc(near, func(a, b string) int { return distance(a) - distance(b) })
	return near[:min(3, len(near))]
}

// edits is the Levenshtein distance in bytes, which is close enough for a hint.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
