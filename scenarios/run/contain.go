package run

import (
	"fmt"
	"runtime/debug"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// contained turns a panic into an error. A bug in one experiment or check must
// not take the process down with the faults of the others still in place, and
// the exit code of a Go program that panics is that of wrong input.
func contained(what string, do func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%s panicked, a bug in gameday: %v\n%s", what, cause, debug.Stack())
		}
	}()
	return do()
}

// judge asks a check what the record shows. A judge that panics tells nothing.
func judge(check verify.Check, record *journal.Record) verify.Finding {
	var finding verify.Finding
	if err := contained("judging", func() error {
		finding = check.Judge(record)
		return nil
	}); err != nil {
		return verify.Finding{Summary: err.Error()}
	}
	return finding
}

// judgeProof asks a proof what the record shows of its step.
func judgeProof(proof backup.Proof, record *journal.Record, step string) backup.Result {
	var result backup.Result
	if err := contained("judging", func() error {
		result = proof.Judge(record, step)
		return nil
	}); err != nil {
		return backup.Result{Finding: verify.Finding{Summary: err.Error()}}
	}
	return result
}
