package report

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable makes one line of what a cluster said, without anything that a
// terminal would act upon instead of showing.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		default:
			return utf8.RuneError
		}
	}, s)
}
