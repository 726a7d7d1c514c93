package kube

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
)

// hintValues bounds how many label values a hint lists.
const hintValues = 8

// LabelHint helps with a selector that matches nothing: it collects the values
// that the labels asked for really have. Most empty selections are a typo.
type LabelHint map[string]map[string]bool

// NewLabelHint looks for the labels that the selector asks about.
func NewLabelHint(selector labels.Selector) LabelHint {
	hint := LabelHint{}
	requirements, _ := selector.Requirements()
	for _, requirement := range requirements {
		hint[requirement.Key()] = map[string]bool{}
	}
	return hint
}

// Add takes in the labels of one object.
func (h LabelHint) Add(object map[string]string) {
	for key, present := range h {
		if value, ok := object[key]; ok {
			present[value] = true
		}
	}
}

// String says what there is: "label app is one of api, web".
func (h LabelHint) String() string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(h)) {
		values := slices.Sorted(maps.Keys(h[key]))
		switch more := len(values) - hintValues; {
		case len(values) == 0:
			lines = append(lines, "none has the label "+key)
		case more > 0:
			lines = append(lines, fmt.Sprintf("label %s is one of %s and %d more", key, strings.Join(values[:hintValues], ", "), more))
		default:
			lines = append(lines, fmt.Sprintf("label %s is one of %s", key, strings.Join(values, ", ")))
		}
	}
	return strings.Join(lines, "; ")
}
