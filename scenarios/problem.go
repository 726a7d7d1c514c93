package scenarios

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with a document, and where.
type Problem struct {
	// File is the name of the source, or --set for a value from there.
	File string `json:"file"`
	// Line and Column count from 1; both are 0 for a problem of --set.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Field is the path of the field, empty when the file could not be parsed.
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	// Hint is the next step, empty when the message says it all.
	Hint string `json:"hint,omitempty"`
	// PastLimits marks a document that is well formed but goes past its own
	// limits: a run refuses it rather than calling it wrong.
	PastLimits bool `json:"pastLimits,omitempty"`
}

// String gives one line: "file:line:column: field: message; hint".
func (p Problem) String() string {
	var line strings.Builder
	line.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&line, ":%d:%d", p.Line, p.Column)
	}
	line.WriteString(": ")
	if p.Field != "" {
		line.WriteString(p.Field + ": ")
	}
	line.WriteString(p.Message)
	if p.Hint != "" {
		line.WriteString("; " + p.Hint)
	}
	return line.String()
}

// LoadError holds every problem of every file, in the order of the files.
type LoadError struct {
	Problems []Problem
}

// Error gives one line a problem.
func (e *LoadError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, problem := range e.Problems {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// PastLimits says that nothing is wrong with the documents except that they go
// past their own limits.
func (e *LoadError) PastLimits() bool {
	return !slices.ContainsFunc(e.Problems, func(p Problem) bool { return !p.PastLimits })
}

// sortByPlace orders the problems of one file.
func sortByPlace(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Field, b.Field))
	})
}
