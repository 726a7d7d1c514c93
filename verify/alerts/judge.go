package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// Judge holds the record against the contract. An alert that was seen is
// evidence whatever else was wrong; silence is evidence only where nothing was.
func (c check) Judge(record *journal.Record) verify.Finding {
	e, err := read(record, c.name)
	if err != nil {
		return verify.Finding{Summary: "cannot tell: " + err.Error()}
	}
	if finding, blind := c.blind(e); blind {
		return finding
	}
	var outcomes []outcome
	for _, want := range c.spec.Expect {
		outcomes = append(outcomes, e.judgeExpectation(want))
	}
	if len(c.spec.Forbid) > 0 {
		outcomes = append(outcomes, e.judgeProhibitions(c.spec))
	}
	finding := combine(outcomes)
	finding.Details = append(finding.Details, e.skew()...)
	finding.Intervals = append(finding.Intervals, e.absences()...)
	return finding
}

// blind is the finding when nothing at all was seen.
func (c check) blind(e *evidence) (verify.Finding, bool) {
	switch {
	case len(c.spec.Expect)+len(c.spec.Forbid) == 0:
		return verify.Finding{Summary: "cannot tell: the check expects nothing and forbids nothing"}, true
	case len(e.coverage) > 0 && len(e.servers) > 0:
		return verify.Finding{}, false
	}
	why := e.failed
	if why == "" && len(e.coverage) > 0 {
		why = "Prometheus' clock was not compared with ours"
	}
	if why == "" {
		why = e.silent()
	}
	if why == "" {
		why = "no samples were recorded"
	}
	return verify.Finding{
		Summary: "cannot tell: " + why,
		Hints:   []string{"check spec.prometheus of the environment: its URL, prefix, token and certificates"},
	}, true
}

// mostDetails bounds the evidence of one outcome: hundreds of alerts may fire
// that nobody forbids.
const mostDetails = 50

// combine makes one finding: the worst verdict, and the lines that explain it first.
func combine(outcomes []outcome) verify.Finding {
	finding := verify.Finding{Verdict: verify.Pass}
	for _, one := range outcomes {
		finding.Verdict = verify.Worse(finding.Verdict, one.verdict)
		finding.Breached = finding.Breached || one.breached
		finding.Hints = append(finding.Hints, one.hints...)
		finding.Intervals = append(finding.Intervals, one.drawn...)
		finding.OpenUntil = later(finding.OpenUntil, one.until)
	}
	finding.Open = !finding.OpenUntil.IsZero()
	finding.Hints = distinct(finding.Hints)
	byWeight := slices.Clone(outcomes)
	slices.SortStableFunc(byWeight, func(a, b outcome) int { return weight(b.verdict) - weight(a.verdict) })
	var lines []string
	for _, one := range byWeight {
		if weight(one.verdict) == weight(finding.Verdict) {
			lines = append(lines, one.line)
		} else {
			finding.Details = append(finding.Details, one.line)
		}
		finding.Details = append(finding.Details, one.details[:min(len(one.details), mostDetails)]...)
		if more := len(one.details) - mostDetails; more > 0 {
			finding.Details = append(finding.Details, fmt.Sprintf("and %d more lines of this kind", more))
		}
	}
	finding.Summary = strings.Join(lines, "; ")
	return finding
}

func weight(v verify.Verdict) int {
	return map[verify.Verdict]int{verify.Fail: 2, verify.Inconclusive: 1, verify.Pass: 0}[v]
}

// skew says when clocks differ enough to mislead whoever compares logs.
func (e *evidence) skew() []string {
	if e.offset.Abs() <= time.Second {
		return nil
	}
	direction := "ahead of"
	if e.offset < 0 {
		direction = "behind"
	}
	return []string{fmt.Sprintf("Prometheus' clock is %s %s ours; times here are by our clock, to within %s",
		round(e.offset.Abs()), direction, round(e.uncertainty))}
}

// absences are the stretches in which a server did not answer.
func (e *evidence) absences() []verify.Interval {
	var all []verify.Interval
	open := map[string]gapMark{}
	for _, gap := range e.gaps {
		began, ok := open[gap.Of]
		switch {
		case gap.Reason != "" && !ok:
			open[gap.Of] = gap
		case gap.Reason == "" && ok:
			all = append(all, absence(began, gap.At))
			delete(open, gap.Of)
		}
	}
	for _, of := range []string{ofPrometheus, ofAlertmanager, ofReceiver} {
		if began, ok := open[of]; ok {
			all = append(all, absence(began, e.timeline.Now))
		}
	}
	return all
}

func absence(began gapMark, to time.Time) verify.Interval {
	return verify.Interval{From: began.At, To: to, What: "no answer from " + began.Of, Cause: began.Reason, Level: "gap"}
}
