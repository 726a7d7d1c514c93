// Package fields holds the rules that several parts of a scenario share: what
// a count, a share, a selector or a name may look like. Each rule accepts an
// unset optional value and reports the rest by field path; none of them knows
// what the field is for.
package fields

import (
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// All is the count that means every candidate.
const All = "all"

// Count holds how many of several candidates are chosen: a number from 1, a
// percent from 1% to 100%, or "all".
func Count(path *field.Path, count *intstr.IntOrString) field.ErrorList {
	const want = `must be a number from 1, a percent from 1% to 100%, or all`
	switch {
	case count == nil:
		return nil
	case count.Type == intstr.Int:
		if count.IntVal < 1 {
			return field.ErrorList{field.Invalid(path, count.IntVal, want)}
		}
	case count.StrVal != All:
		if percent, ok := parsePercent(count.StrVal); !ok || percent < 1 {
			return field.ErrorList{field.Invalid(path, count.StrVal, want)}
		}
	}
	return nil
}

// Share holds a part of a whole that may be nothing: a number from 0, or a
// percent from 0% to 100%.
func Share(path *field.Path, share *intstr.IntOrString) field.ErrorList {
	const want = `must be a number from 0, or a percent from 0% to 100%`
	switch {
	case share == nil:
		return nil
	case share.Type == intstr.Int:
		if share.IntVal < 0 {
			return field.ErrorList{field.Invalid(path, share.IntVal, want)}
		}
	default:
		if _, ok := parsePercent(share.StrVal); !ok {
			return field.ErrorList{field.Invalid(path, share.StrVal, want)}
		}
	}
	return nil
}

// parsePercent reads "30%". It refuses what intstr lets through: signs, more
// than the whole, and text without the sign.
func parsePercent(text string) (int, bool) {
	digits, ok := strings.CutSuffix(text, "%")
	if !ok {
		return 0, false
	}
	percent, err := strconv.ParseUint(digits, 10, 8)
	return int(percent), err == nil && percent <= 100
}

// Positive holds a duration that must last.
func Positive(path *field.Path, duration *metav1.Duration) field.ErrorList {
	if duration == nil || duration.Duration > 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, duration.Duration.String(), "must be longer than 0s")}
}

// NotNegative holds a duration that may be nothing.
func NotNegative(path *field.Path, duration *metav1.Duration) field.ErrorList {
	if duration == nil || duration.Duration >= 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, duration.Duration.String(), "must not be negative")}
}

// Selector holds a label selector. An empty one is refused: it would choose
// everything.
func Selector(path *field.Path, selector string) field.ErrorList {
	if strings.TrimSpace(selector) == "" {
		return field.ErrorList{field.Required(path, "without a selector everything would be chosen")}
	}
	if _, err := labels.Parse(selector); err != nil {
		why := strings.NewReplacer("unable to parse requirement: ", "", "<nil>: ", "").Replace(err.Error())
		return field.ErrorList{field.Invalid(path, selector, "is not a label selector: "+why)}
	}
	return nil
}

// Label holds a name that must be a DNS label: of a namespace, a step, a check.
func Label(path *field.Path, name string) field.ErrorList {
	return named(path, name, validation.IsDNS1123Label,
		"must be lower case letters, digits and dashes, at most 63, with no dash at either end")
}

// Subdomain holds the name of a Kubernetes object.
func Subdomain(path *field.Path, name string) field.ErrorList {
	return named(path, name, validation.IsDNS1123Subdomain,
		"must be lower case letters, digits, dashes and dots, at most 253, with a letter or digit at either end")
}

// named says the rule in one line: the rule's own words repeat its regular
// expression.
func named(path *field.Path, name string, broken func(string) []string, rule string) field.ErrorList {
	switch {
	case name == "":
		return field.ErrorList{field.Required(path, "")}
	case len(broken(name)) > 0:
		return field.ErrorList{field.Invalid(path, name, rule)}
	}
	return nil
}

// OneOf holds a choice; empty is the default and always allowed.
func OneOf(path *field.Path, value string, allowed ...string) field.ErrorList {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	return field.ErrorList{field.NotSupported(path, value, allowed)}
}
