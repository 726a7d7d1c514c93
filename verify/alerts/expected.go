package alerts

import (
	"fmt"
	"slices"
	"time"

	"gameday.dev/gameday/verify"
)

// slack is how long after a deadline the samples are still waited for: until
// an evaluation at the deadline can be told from one that is missing.
func (e *evidence) slack(alert string) time.Duration {
	return joinWithin(e.interval(alert)) + 2*time.Second
}

// judgeExpectation finds out whether one alert kept its promise.
func (e *evidence) judgeExpectation(want Expectation) outcome {
	title := want.Alert + braces(want.Labels)
	step, _ := e.timeline.Step(want.Step)
	if step.Injecting.IsZero() {
		return e.uninjected(want)
	}
	injected, deadline := step.Injecting, step.Injecting.Add(want.Within.Duration)
	found := e.firings(want, injected)
	var o outcome
	o.drawn = drawn(found, title, "ok")
	if len(found.fresh) == 0 {
		e.judgeSilence(&o, want, found, stretch{injected, deadline})
		return o
	}
	first := found.fresh[0]
	after := first.run.First.Sub(injected)
	fired := fmt.Sprintf("%s fired %s after %s", want.Alert, round(after), want.Step)
	switch margin := first.run.First.Sub(deadline); {
	case margin > e.uncertainty:
		// A late alert only counts as late when it could have been seen earlier.
		if reasons := e.distrust(stretch{injected, deadline}); len(reasons) > 0 {
			o.line = fmt.Sprintf("%s, later than %s; %s", fired, exact(want.Within.Duration), cannotTell(reasons))
			return o
		}
		o.verdict, o.line = verify.Fail, fmt.Sprintf("%s, %s later than promised", fired, round(margin))
		o.hints = append(o.hints, fmt.Sprintf("raise within above %s, or shorten the rule's for and intervals", round(after)))
	case margin > -e.uncertainty:
		o.line = fmt.Sprintf("%s: too close to the deadline to tell, the clocks are known to within %s", fired, round(e.uncertainty))
	default:
		o.verdict, o.line = verify.Pass, fired
	}
	o.detail(fmt.Sprintf("%s firing from %s%s, by its samples every %s", first.title(), clock(first.run.First), first.pending(), exact(e.interval(want.Alert))))
	e.judgeResolution(&o, want, found)
	e.judgeProof(&o, want, first, stretch{injected, deadline})
	return o
}

// uninjected is for an alert whose step has not broken anything, or not yet.
func (e *evidence) uninjected(want Expectation) outcome {
	step, known := e.timeline.Step(want.Step)
	o := outcome{line: fmt.Sprintf("cannot tell about %s: step %s was not injected", want.Alert, want.Step)}
	over := known && step.Skipped || !e.timeline.Settling.IsZero() || !e.timeline.Finished.IsZero()
	if !over {
		o.line = fmt.Sprintf("step %s has not begun", want.Step)
		o.until = e.timeline.Now.Add(want.Within.Duration)
	}
	return o
}

// judgeSilence is for an alert that did not begin to fire after its step.
func (e *evidence) judgeSilence(o *outcome, want Expectation, found firings, during stretch) {
	title := want.Alert + braces(want.Labels)
	switch {
	case len(found.doubted) > 0:
		one := found.doubted[0]
		o.line = fmt.Sprintf("cannot tell: %s fired at %s, but it had fired before, and whether it ended in between cannot be told", title, clock(one.run.First))
		o.details = append(o.details, e.distrust(stretch{one.before, one.run.First})...)
		return
	case len(found.standing) > 0:
		one := found.standing[0]
		o.line = fmt.Sprintf("cannot tell: %s was firing before %s began", title, want.Step)
		o.detail(fmt.Sprintf("%s firing since %s%s", one.title(), clock(one.run.First), one.pending()))
		o.hints = append(o.hints, "let the alert resolve before the step: hold the step before it longer, or raise resolvesWithin")
		return
	case len(found.earlier) > 0:
		one := found.earlier[0]
		o.line = fmt.Sprintf("cannot tell: the condition of %s had begun at %s, before %s", title, clock(one.since), want.Step)
		return
	case e.through().Before(during.to) && !e.final:
		o.line = fmt.Sprintf("%s has not fired yet, %s after %s", title, round(e.through().Sub(during.from)), want.Step)
		if e.timeline.Finished.IsZero() && e.failed == "" {
			o.until = during.to.Add(e.slack(want.Alert))
		} else {
			o.line = cannotTell(append([]string{o.line}, e.distrust(during)...))
		}
		return
	}
	quiet := fmt.Sprintf("%s did not fire within %s of %s", title, exact(want.Within.Duration), want.Step)
	reasons := append(e.distrust(during), e.unsound(want.Alert, during)...)
	if reasons = append(reasons, e.unfed(want.Alert)...); len(reasons) > 0 {
		o.line = quiet + ", but that proves nothing: " + reasons[0]
		o.details = append(o.details, reasons[1:]...)
		o.hints = append(o.hints, "mend the monitoring first: a quiet alert proves nothing while it cannot be trusted")
		return
	}
	o.verdict, o.line = verify.Fail, quiet
	o.details = append(o.details, e.nearMisses(want, during)...)
}

// nearMisses says what happened instead: pending, or other labels.
func (e *evidence) nearMisses(want Expectation, during stretch) []string {
	var lines []string
	for _, series := range e.series {
		if series.Labels[labelName] != want.Alert {
			continue
		}
		for _, run := range series.Runs {
			at := stretch{run.First, run.Last.Add(time.Millisecond)}
			switch {
			case !overlap(at, during):
			case series.State == statePending && matches(series.Labels, want.Alert, want.Labels):
				lines = append(lines, fmt.Sprintf("%s was pending from %s to %s: its for was not reached", want.Alert, clock(run.First), clock(run.Last)))
			case series.State == stateFiring:
				lines = append(lines, fmt.Sprintf("%s fired at %s with other labels: %s", want.Alert, clock(run.First), braces(series.Labels)))
			}
		}
	}
	return lines
}

// judgeResolution holds the end of the alert against its deadline.
func (e *evidence) judgeResolution(o *outcome, want Expectation, found firings) {
	if want.ResolvesWithin == nil {
		return
	}
	settled := e.timeline.Settling
	deadline := settled.Add(want.ResolvesWithin.Duration)
	last := found.fresh[0]
	for _, one := range found.fresh {
		if one.run.Last.After(last.run.Last) && (settled.IsZero() || one.run.First.Before(deadline)) {
			last = one
		}
	}
	interval := e.interval(want.Alert)
	end := last.run.Last.Add(interval) // the evaluation that no longer found it
	switch {
	case !settled.IsZero() && last.run.Last.Sub(deadline) > e.uncertainty:
		o.worse(verify.Fail, fmt.Sprintf("%s still fired %s after the faults ended, %s were allowed",
			want.Alert, round(last.run.Last.Sub(settled)), exact(want.ResolvesWithin.Duration)))
	case e.ongoing(want.Alert, last.run):
		o.worse(verify.Inconclusive, fmt.Sprintf("%s; cannot tell when it resolved: it still fired at %s, where the samples end", o.line, clock(last.run.Last)))
		e.awaitEnd(o, want)
	case settled.IsZero():
		o.worse(verify.Inconclusive, fmt.Sprintf("%s; cannot tell whether it resolved for good: the record does not say that the faults ended", o.line))
		e.awaitEnd(o, want)
	case end.Add(e.uncertainty).After(deadline):
		o.worse(verify.Inconclusive, fmt.Sprintf("%s; cannot tell whether it resolved in time: it ended between %s and %s, the deadline was %s",
			o.line, clock(last.run.Last), clock(end), clock(deadline)))
	default:
		// Long enough for a gap in the evaluation of all rules to show as one.
		quiet := stretch{last.run.Last, last.run.Last.Add(2 * joinWithin(interval))}
		if quiet.to.After(e.through()) {
			quiet.to = e.through()
		}
		if reasons := append(e.distrust(quiet), e.unsound(want.Alert, quiet)...); len(reasons) > 0 {
			o.worse(verify.Inconclusive, fmt.Sprintf("%s; its end proves nothing: %s", o.line, reasons[0]))
			e.awaitEnd(o, want) // a Prometheus that is back may yet show the end
			return
		}
		o.line += fmt.Sprintf(", resolved after %s", round(end.Sub(found.fresh[0].run.First)))
		o.detail(fmt.Sprintf("%s resolved between %s and %s", want.Alert, clock(last.run.Last), clock(end)))
	}
}

// awaitEnd leaves an outcome open until the alert must have resolved.
func (e *evidence) awaitEnd(o *outcome, want Expectation) {
	switch {
	case e.final || !e.timeline.Finished.IsZero() || e.failed != "":
	case e.timeline.Settling.IsZero():
		o.until = e.timeline.Now.Add(want.ResolvesWithin.Duration)
	default:
		o.until = e.timeline.Settling.Add(want.ResolvesWithin.Duration + e.slack(want.Alert))
	}
}

// firing is one run of one alert.
type firing struct {
	series alertSeries
	run    alertRun
	since  time.Time // when its condition began; zero when unknown
	end    time.Time // latest end
	before time.Time // last sample of the run before it; zero when it is the first
}

func (f firing) title() string { return f.series.Labels[labelName] + braces(f.series.Labels) }

func (f firing) pending() string {
	if f.since.IsZero() {
		return ""
	}
	return ", its condition true since " + clock(f.since)
}

// firings are the runs of the alerts that an expectation may mean.
type firings struct {
	fresh    []firing // began after the injection, by their first samples
	standing []firing // were firing when the injection began
	earlier  []firing // fired after it, from a condition that began before
	doubted  []firing // fired before and after it, with nothing to prove that they ended in between
}

func (e *evidence) firings(want Expectation, injected time.Time) firings {
	var found firings
	for _, one := range e.runs() {
		if !matches(one.series.Labels, want.Alert, want.Labels) {
			continue
		}
		switch {
		case one.run.First.Sub(injected) > e.uncertainty && e.conditionBefore(one, injected):
			found.earlier = append(found.earlier, one)
		case one.run.First.Sub(injected) > e.uncertainty && e.resumed(one, injected):
			found.doubted = append(found.doubted, one)
		case one.run.First.Sub(injected) > e.uncertainty:
			found.fresh = append(found.fresh, one)
		case one.end.After(injected):
			found.standing = append(found.standing, one)
		}
	}
	return found
}

// resumed says whether a firing may only go on with one from before a moment:
// a Prometheus that was away or restarted leaves a hole in an alert that never
// ended, and may have forgotten when its condition began.
func (e *evidence) resumed(one firing, moment time.Time) bool {
	return !one.before.IsZero() && one.before.Before(one.run.First) && e.firingBefore(one, moment) &&
		len(e.distrust(stretch{one.before, one.run.First})) > 0
}

// firingBefore says whether the series had begun to fire before a moment.
func (e *evidence) firingBefore(one firing, moment time.Time) bool {
	return slices.ContainsFunc(one.series.Runs, func(run alertRun) bool { return run.First.Sub(moment) <= e.uncertainty })
}

// conditionBefore says whether the condition of a firing had begun before a
// moment. ALERTS_FOR_STATE has whole seconds, cut off.
func (e *evidence) conditionBefore(one firing, moment time.Time) bool {
	return !one.since.IsZero() && one.since.Add(time.Second+e.uncertainty).Before(moment)
}

// runs lists every run of every firing alert, the earliest first.
func (e *evidence) runs() []firing {
	var all []firing
	for _, series := range e.series {
		if series.State != stateFiring {
			continue
		}
		var before time.Time
		for _, run := range series.Runs {
			one := firing{series: series, run: run, before: before, end: run.Last.Add(e.interval(series.Labels[labelName]))}
			before = run.Last
			for _, since := range series.Since {
				if !since.After(run.First) {
					one.since = since
				}
			}
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b firing) int { return a.run.First.Compare(b.run.First) })
	return all
}

func drawn(found firings, what, level string) []verify.Interval {
	var all []verify.Interval
	for _, one := range slices.Concat(found.standing, found.earlier, found.doubted, found.fresh) {
		all = append(all, verify.Interval{From: one.run.First, To: one.end, What: what + " firing", Level: level})
	}
	return all
}
