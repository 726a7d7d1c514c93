package kube

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// The longest text of a quantity and the most digits of its exponent that anybody
// has a use for.
const (
	longestQuantity = 32
	mostExponent    = 3
)

// Quantity parses one that no API server has looked at. Package resource takes
// "1e64000000" for a number, and computes for minutes with all its digits.
func Quantity(text string) (resource.Quantity, error) {
	exponent := ""
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		exponent = strings.TrimLeft(text[at+1:], "+-")
	}
	if len(text) > longestQuantity || len(exponent) > mostExponent {
		return resource.Quantity{}, fmt.Errorf("%.*q is no quantity", longestQuantity, text)
	}
	return resource.ParseQuantity(text)
}
