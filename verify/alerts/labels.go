package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// matches says whether an alert has this name (empty: any) and carries all of
// these labels.
func matches(labels map[string]string, alert string, wanted map[string]string) bool {
	if alert != "" && labels[labelName] != alert {
		return false
	}
	for name, value := range wanted {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// conflict finds a label that the rule sets to another value than the one
// wanted, so that no alert of it can ever match. Templates may become anything.
func conflict(rule, wanted map[string]string) (name string, found bool) {
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		value, set := rule[name]
		if set && value != wanted[name] && !strings.Contains(value, "{{") {
			return name, true
		}
	}
	return "", false
}

// braces writes labels as people read them: {namespace="shop"}; nothing for none.
func braces(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name != labelName {
			parts = append(parts, fmt.Sprintf("%s=%q", name, labels[name]))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func compareKeys(a, b map[string]string) int { return strings.Compare(keyOf(a), keyOf(b)) }

func compareCounts(a, b sentCount) int {
	return cmp.Or(strings.Compare(a.Integration, b.Integration), strings.Compare(a.Receiver, b.Receiver))
}
