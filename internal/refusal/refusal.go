// Package refusal is the error that stops a run before anything is touched.
// It leads to exit code 5 and always names a next step.
package refusal

import (
	"errors"
	"fmt"
)

// Refusal says why a run must not begin, or a step must not be injected.
type Refusal struct {
	Reason string
	// Hint is the next step for the person who reads the refusal.
	Hint string
}

// Error gives the reason and, on a line of its own, the hint.
func (r *Refusal) Error() string {
	if r.Hint == "" {
		return r.Reason
	}
	return r.Reason + "\nhint: " + r.Hint
}

// New makes a refusal.
func New(hint, format string, args ...any) error {
	return &Refusal{Reason: fmt.Sprintf(format, args...), Hint: hint}
}

// As finds a refusal in err.
func As(err error) (*Refusal, bool) {
	var refusal *Refusal
	ok := errors.As(err, &refusal)
	return refusal, ok
}
