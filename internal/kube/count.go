package kube

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// CountAll is the count that means every candidate.
const CountAll = "all"

// Count says how many of the candidates a count asks for: a number as it is
// (it may exceed the candidates; the caller refuses that), a percent rounded
// up and at least 1, or all. Unset is 1.
func Count(count *intstr.IntOrString, candidates int) (int, error) {
	switch {
	case count == nil:
		return 1, nil
	case count.Type == intstr.String && count.StrVal == CountAll:
		return candidates, nil
	}
	wanted, err := intstr.GetScaledValueFromIntOrPercent(count, candidates, true)
	if err != nil {
		return 0, fmt.Errorf("reading count %q: %w", count.String(), err)
	}
	if count.Type == intstr.String {
		return max(wanted, 1), nil
	}
	if wanted < 1 {
		return 0, fmt.Errorf("reading count %q: must be at least 1", count.String())
	}
	return wanted, nil
}
