package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"gameday.dev/gameday/internal/refusal"
)

// The exit codes: a contract with scripts, written down in `gameday help exit-codes`.
const (
	exitPass         = 0
	exitFail         = 1
	exitInput        = 2
	exitInconclusive = 3
	exitLeft         = 4
	exitRefused      = 5
	exitInterrupted  = 130
)

// exit is an error with the exit code it leads to. A nil err is silent: all
// has been said.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// inputError is wrong input: nothing was touched.
func inputError(err error) error { return &exit{code: exitInput, err: err} }

// refusedError is a refusal: nothing was touched either.
func refusedError(err error) error { return &exit{code: exitRefused, err: err} }

// codeOf finds the exit code of an error. What cobra itself reports is wrong
// usage.
func codeOf(err error) int {
	var coded *exit
	if errors.As(err, &coded) {
		return coded.code
	}
	if _, ok := refusal.As(err); ok {
		return exitRefused
	}
	return exitInput
}

// say prints an error as people read it: what is wrong, then hints on lines of
// their own.
func say(w io.Writer, err error) {
	var coded *exit
	if errors.As(err, &coded) && coded.err == nil {
		return
	}
	text := strings.TrimRight(err.Error(), "\n")
	fmt.Fprintln(w, "gameday: "+text)
}

// worse says which of two exit codes a script must see when several runs
// share one process.
func worse(a, b int) int {
	for _, code := range []int{exitLeft, exitInterrupted, exitRefused, exitInput, exitFail, exitInconclusive} {
		if a == code || b == code {
			return code
		}
	}
	return exitPass
}
