package kube

import (
	"strings"
	"testing"
	"time"
)

func TestQuantity(t *testing.T) {
	for _, text := range []string{"1", "1.5", "100m", "10Gi", "5E", "1e3", "1E-3", "0.000000001", "9223372036854775807"} {
		if _, err := Quantity(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	began := time.Now()
	for _, text := range []string{"", "x", "1e64000000", "1E+0064000000", "-1e-64000000", strings.Repeat("9", 33)} {
		if q, err := Quantity(text); err == nil {
			t.Errorf("%s is %s", text, q.String())
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %s", took)
	}
}
