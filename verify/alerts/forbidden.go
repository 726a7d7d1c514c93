package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gameday.dev/gameday/verify"
)

// allowed says whether an alert may fire, and why.
func (s Spec) allowed(labels map[string]string, by Prohibition) (reason string, ok bool) {
	for _, want := range s.Expect {
		if matches(labels, want.Alert, want.Labels) {
			return "expected", true
		}
	}
	for _, exception := range by.Except {
		if matches(labels, exception.Alert, exception.Labels) {
			return exception.Reason, true
		}
	}
	return "", false
}

// forbids says whether an alert must not fire.
func (s Spec) forbids(labels map[string]string) bool {
	return slices.ContainsFunc(s.Forbid, func(p Prohibition) bool {
		if !matches(labels, p.Alert, p.Labels) {
			return false
		}
		_, ok := s.allowed(labels, p)
		return !ok
	})
}

// excuse says why an alert that fired is not held against the run; empty for
// those that are expected.
func (s Spec) excuse(labels map[string]string) string {
	for _, want := range s.Expect {
		if matches(labels, want.Alert, want.Labels) {
			return ""
		}
	}
	for _, prohibition := range s.Forbid {
		if reason, ok := s.allowed(labels, prohibition); ok && matches(labels, prohibition.Alert, prohibition.Labels) {
			return "excepted, " + reason
		}
	}
	return "not forbidden"
}

// judgeProhibitions finds forbidden alerts that began to fire after the first
// fault. Those that fired before it are the baseline: they accuse nobody.
func (e *evidence) judgeProhibitions(spec Spec) outcome {
	fault := e.timeline.FirstFault
	if fault.IsZero() {
		return outcome{line: "cannot tell what else fires: nothing has been broken"}
	}
	o := outcome{verdict: verify.Pass, line: "nothing else fired"}
	var fired, others []string
	for _, one := range e.runs() {
		since := one.run.First.Sub(fault)
		if !spec.forbids(one.series.Labels) {
			if reason := spec.excuse(one.series.Labels); reason != "" && since > e.uncertainty && !e.firedAt(one.series, fault) {
				o.line = "nothing forbidden fired"
				others = append(others, fmt.Sprintf("%s fired as well: %s", one.title(), reason))
			}
			continue
		}
		picture := verify.Interval{From: one.run.First, To: one.end, What: one.title() + " firing", Level: "bad"}
		switch {
		case since > e.uncertainty && e.firedAt(one.series, fault):
			o.detail(fmt.Sprintf("%s fired when the first fault began, and again from %s", one.title(), clock(one.run.First)))
			continue
		case since > e.uncertainty && e.conditionBefore(one, fault):
			o.worse(verify.Inconclusive, fmt.Sprintf("%s fired %s after the first fault, but its condition had begun at %s, before: cannot tell whether this run kept it up",
				one.title(), round(since), clock(one.since)))
			o.hints = append(o.hints, "begin when no forbidden alert is pending")
		case since > e.uncertainty:
			fired = append(fired, fmt.Sprintf("%s fired %s after the first fault", one.title(), round(since)))
			o.detail(fmt.Sprintf("%s firing from %s to %s%s", one.title(), clock(one.run.First), clock(one.run.Last), one.pending()))
			o.breached = true
		case since > -e.uncertainty:
			o.worse(verify.Inconclusive, fmt.Sprintf("%s began to fire with the first fault, give or take %s", one.title(), round(e.uncertainty)))
		case one.end.After(fault):
			o.detail(fmt.Sprintf("%s was firing before the first fault, since %s", one.title(), clock(one.run.First)))
			continue
		default:
			continue
		}
		o.drawn = append(o.drawn, picture)
	}
	o.details = append(o.details, distinct(others)...)
	if o.breached {
		fired = distinct(fired)
		o.verdict, o.line = verify.Fail, "forbidden: "+fired[0]
		if more := len(fired) - 1; more > 0 {
			o.line += fmt.Sprintf(", and %d more", more)
			o.details = append(slices.Clone(fired[1:]), o.details...)
		}
		o.hints = append(o.hints, "if it may fire, name it under forbid.except with a reason")
		return o
	}
	e.doubtSilence(&o, spec, fault)
	for _, line := range e.pendingAtEnd(spec) {
		o.detail(line)
	}
	return o
}

// firedAt says whether the same alert was firing at a moment.
func (e *evidence) firedAt(series alertSeries, moment time.Time) bool {
	interval := e.interval(series.Labels[labelName])
	return slices.ContainsFunc(series.Runs, func(run alertRun) bool {
		return run.First.Before(moment) && run.Last.Add(interval).After(moment)
	})
}

// doubtSilence holds "nothing else fired" against what is known of the
// monitoring from the first fault to the end.
func (e *evidence) doubtSilence(o *outcome, spec Spec, fault time.Time) {
	during := stretch{fault, e.through()}
	var reasons []string
	if !e.final {
		reasons = append(reasons, fmt.Sprintf("the history was not collected at the end, only up to %s", clock(e.through())))
		if why := e.silent(); why != "" {
			reasons = append(reasons, why)
		}
	}
	reasons = append(reasons, e.distrust(during)...)
	reasons = append(reasons, e.sickRules(spec)...)
	reasons = append(reasons, e.goneRules(spec)...)
	if len(reasons) > 0 {
		o.worse(verify.Inconclusive, "cannot tell whether anything else fired: "+reasons[0])
		o.details = append(o.details, reasons[1:]...)
	}
}

// sickRules names unhealthy rules whose alerts would be forbidden.
func (e *evidence) sickRules(spec Spec) []string {
	var reasons []string
	for _, look := range e.all {
		for _, rule := range look.rules {
			if rule.Health == healthErr && spec.forbids(labelsOf(rule)) {
				reasons = append(reasons, fmt.Sprintf("rule %s, which is forbidden to fire, was unhealthy: %s", rule.Name, rule.LastError))
			}
		}
	}
	return distinct(reasons)
}

// goneRules names rules whose alerts would be forbidden and that Prometheus no
// longer lists: what is not evaluated stays quiet.
func (e *evidence) goneRules(spec Spec) []string {
	if len(e.all) == 0 {
		return []string{"Prometheus did not list its rules"}
	}
	var reasons []string
	var known []alertRule
	for _, look := range e.all {
		listed := map[string]bool{}
		for _, rule := range look.rules {
			listed[rule.Name] = true
		}
		for _, rule := range known {
			if !listed[rule.Name] {
				reasons = append(reasons, fmt.Sprintf("rule %s, which is forbidden to fire, was gone at %s", rule.Name, clock(look.at)))
			}
		}
		known = slices.DeleteFunc(slices.Clone(look.rules), func(rule alertRule) bool { return !spec.forbids(labelsOf(rule)) })
	}
	return distinct(reasons)
}

// labelsOf are the labels that every alert of a rule surely has.
func labelsOf(rule alertRule) map[string]string {
	labels := map[string]string{labelName: rule.Name}
	for name, value := range rule.Labels {
		if !strings.Contains(value, "{{") {
			labels[name] = value
		}
	}
	return labels
}

// pendingAtEnd names forbidden alerts that had begun but not fired.
func (e *evidence) pendingAtEnd(spec Spec) []string {
	var lines []string
	for _, series := range e.series {
		if series.State != statePending || !spec.forbids(series.Labels) {
			continue
		}
		name := series.Labels[labelName]
		if last := series.Runs[len(series.Runs)-1]; e.ongoing(name, last) {
			lines = append(lines, fmt.Sprintf("%s was still pending where the samples end", name+braces(series.Labels)))
		}
	}
	return lines
}
