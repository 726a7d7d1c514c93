package report

import (
	"fmt"
	"slices"
	"strings"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// The exit codes of a run that has a report. (2, wrong input, has none.)
const (
	ExitPass         = 0
	ExitFail         = 1
	ExitInconclusive = 3
	ExitNotUndone    = 4
	ExitRefused      = 5
	ExitInterrupted  = 130
)

// ExitCode is the exit code of a run. What is left in the cluster outranks
// everything; then how the run ended outranks what it found before that.
func ExitCode(r Report) int {
	switch {
	case r.Cleanup == CleanupIncomplete:
		return ExitNotUndone
	case r.Interrupted:
		return ExitInterrupted
	case r.Refused != "":
		return ExitRefused
	case r.Verdict == verify.Fail:
		return ExitFail
	case r.Verdict == verify.Pass:
		return ExitPass
	default:
		return ExitInconclusive
	}
}

// worst is the worst of the steps, the checks and the run itself.
func (r *Report) worst() verify.Verdict {
	worst := r.conduct().Verdict
	for _, step := range r.Steps {
		worst = verify.Worse(worst, step.Verdict)
	}
	for _, check := range r.Checks {
		worst = verify.Worse(worst, check.Verdict)
	}
	return worst
}

// conduct judges the run itself: whether it was carried out as written and
// left nothing behind. A run cut short is at best inconclusive, and something
// left behind is a failure, whatever the checks found until then.
func (r *Report) conduct() verify.Finding {
	inconclusive := func(format string, args ...any) verify.Finding {
		return verify.Finding{Summary: fmt.Sprintf(format, args...), Details: r.Left}
	}
	skipped := r.skipped()
	switch {
	case r.Cleanup == CleanupIncomplete:
		return verify.Finding{Verdict: verify.Fail, Summary: "cleanup is incomplete", Details: r.Left}
	case r.Refused != "":
		return inconclusive("refused before anything was touched: %s", r.Refused)
	case r.Interrupted:
		return inconclusive("interrupted")
	case r.Cleanup == CleanupUnknown:
		return inconclusive("the record ends at %s: was the run killed? `gameday recover %s` undoes what it left", clock(r.RecordEnds), r.Run)
	case r.Finished.IsZero():
		return inconclusive("the record ends at %s without the end of the run: was it killed?", clock(r.RecordEnds))
	case r.Aborted != "":
		return inconclusive("aborted: %s", r.Aborted)
	case len(skipped) > 0:
		return inconclusive("%d of %d steps did not run: %s", len(skipped), len(r.Steps), strings.Join(skipped, ", "))
	case len(r.Steps)+len(r.Checks) == 0:
		return inconclusive("nothing was done and nothing was checked")
	default:
		return verify.Finding{Verdict: verify.Pass, Summary: "carried out to its end, everything undone"}
	}
}

func (r *Report) skipped() []string {
	var names []string
	for _, step := range r.Steps {
		if step.State == journal.Skipped {
			names = append(names, step.Name)
		}
	}
	return names
}

// whyNotRun explains a step that the record does not mention.
func (r *Report) whyNotRun() string {
	switch {
	case r.Refused != "":
		return "not run: the run was refused"
	case r.Aborted != "":
		return "not run: " + r.Aborted
	case r.Interrupted:
		return "not run: interrupted"
	case r.Finished.IsZero():
		return "not run: the record ends before"
	default:
		return "not run, and the record does not say why"
	}
}

// readCleanup adds up what is known about undoing. The end of the run is
// believed, unless a step's last attempt to undo says otherwise. Without that
// end, each step that began must be recorded as undone.
func (r *Report) readCleanup(record *journal.Record) error {
	r.Cleanup = CleanupComplete
	for _, step := range r.Steps {
		switch {
		case step.Undo != nil && !step.Undo.OK:
			r.Cleanup = CleanupIncomplete
			r.Left = append(r.Left, step.Name+": "+orElse(step.Undo.Left, "could not be undone; the record does not say what is left"))
		case step.Undo == nil && !step.Started.IsZero() && r.Finished.IsZero():
			if r.Cleanup == CleanupComplete {
				r.Cleanup = CleanupUnknown
			}
			r.Left = append(r.Left, step.Name+": the record does not say whether it was undone")
		}
	}
	if event, ok := record.Last(journal.RunFinished); ok {
		var end journal.RunEnd
		if err := event.Decode(&end); err != nil {
			return err
		}
		if !end.Undone {
			r.Cleanup = CleanupIncomplete
			if len(r.Left) == 0 {
				r.Left = append(r.Left, orElse(end.Left, "the record does not say what"))
			}
		}
	}
	r.Undone = r.Cleanup == CleanupComplete
	return nil
}

// ending is how the run ended, as far as a step is judged by it.
type ending struct {
	notRun      string // why a step without events did not run
	interrupted bool
}

// conclude judges a step by what its experiment recorded:
//
//   - done or blocked, as the scenario expects, passes; the other one fails;
//   - a failed injection never put the promise to the test, nor did a skipped
//     one: inconclusive;
//   - whatever the injection's end, a workload that did not become whole again
//     before its deadline fails. An interruption cuts that wait short, and
//     then, or when the wait is not recorded, it cannot be told.
func (s *stepRecord) conclude(end ending) {
	switch {
	case s.outcome:
	case s.Started.IsZero():
		s.State, s.Summary = journal.Skipped, orElse(s.Summary, end.notRun)
	default:
		s.State, s.Summary = journal.Failed, "its injection began, the record does not say how it ended"
	}
	s.Verdict = s.judgeOutcome()
	if s.proof != nil && !s.Started.IsZero() {
		s.prove()
	}
	if !s.Started.IsZero() {
		s.Verdict = verify.Worse(s.Verdict, s.judgeSettled(end))
		if s.holding && !end.interrupted {
			s.Verdict = verify.Worse(s.Verdict, verify.Inconclusive)
			s.explain("the record does not say that its hold lasted to the end")
		}
	}
	if s.Undo != nil && !s.Undo.OK {
		s.explain("not undone: " + s.Undo.Left)
	}
	s.Details = append(s.Details, s.warnings...)
}

// prove takes what the step's own judge has found for its verdict: how the
// injection ended says only whether the evidence is there.
func (s *stepRecord) prove() {
	s.Verdict, s.Summary, s.Hints = s.proof.Verdict, s.proof.Summary, s.proof.Hints
	s.Details = slices.Clone(s.proof.Details)
	s.Proof = &s.proof.Evidence
	if !s.outcome && s.Verdict == verify.Pass {
		s.Verdict = verify.Inconclusive
		s.explain("the record does not say how it ended")
	}
}

func (s *stepRecord) judgeOutcome() verify.Verdict {
	switch s.State {
	case journal.Done, journal.Blocked:
		if s.Expected {
			return verify.Pass
		}
		s.explain("the scenario expected " + orElse(s.expect, "another outcome"))
		return verify.Fail
	case journal.Failed:
		if s.outcome {
			s.explain("the fault was not injected as planned, so nothing is proven by it")
		}
	}
	return verify.Inconclusive
}

const notWhole = "not whole again: "

func (s *stepRecord) judgeSettled(end ending) verify.Verdict {
	switch {
	case s.Settled != nil && s.Settled.Recovered:
		return verify.Pass
	case end.interrupted:
		return verify.Inconclusive
	case s.Settled != nil:
		missing := strings.TrimPrefix(s.Settled.Summary, notWhole)
		s.explain(notWhole + orElse(missing, "the record does not say what is missing"))
		return verify.Fail
	case s.State != journal.Failed: // a failed injection is explained already
		s.explain("cannot tell whether what it disturbed became whole again: not recorded")
	}
	return verify.Inconclusive
}

func (s *stepRecord) explain(line string) { s.Details = append(s.Details, line) }
