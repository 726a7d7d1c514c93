package alerts

import (
	"slices"
	"strings"

	"gameday.dev/gameday/internal/near"
)

// noRule says that a rule is missing, and which ones come near.
func noRule(alert string, rules []alertRule) string {
	line := "there is no alerting rule " + alert
	var names []string
	for _, rule := range rules {
		names = append(names, rule.Name)
	}
	if meant := nearest(alert, names); len(meant) > 0 {
		return line + "; there is " + strings.Join(meant, ", ")
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
		return near.Distance(a, b)
	}
	found := slices.DeleteFunc(distinct(names), func(name string) bool { return distance(name) > max(2, len(wanted)/3) })
	slices.SortStableFunc(found, func(a, b string) int { return distance(a) - distance(b) })
	return found[:min(3, len(found))]
}
