package alerts

import (
	"fmt"
	"slices"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// Baseline holds what was seen before any fault against what a run needs:
// rules that can be trusted, and quiet where alerts are expected or forbidden.
func (c check) Baseline(record *journal.Record) verify.Finding {
	e, err := read(record, c.name)
	if err != nil {
		return verify.Finding{Summary: "cannot tell: " + err.Error()}
	}
	if finding, blind := c.blind(e); blind {
		return finding
	}
	if len(e.all) == 0 {
		return verify.Finding{Summary: "cannot tell: Prometheus did not list its rules"}
	}
	var outcomes []outcome
	rules := e.all[len(e.all)-1].rules
	for _, want := range c.spec.Expect {
		outcomes = append(outcomes, e.ready(want, rules))
	}
	if len(c.spec.Forbid) > 0 {
		outcomes = append(outcomes, e.quiet(c.spec))
	}
	finding := combine(append(outcomes, e.doubts()))
	if finding.Verdict == verify.Pass {
		finding.Summary = fmt.Sprintf("%d rules evaluated, %s", len(rules), e.standingNow())
	}
	finding.Details = append(finding.Details, e.skew()...)
	finding.Open, finding.OpenUntil = false, time.Time{}
	return finding
}

// ready says whether an expected alert has a healthy rule, and does not fire yet.
func (e *evidence) ready(want Expectation, rules []alertRule) outcome {
	title := want.Alert + braces(want.Labels)
	found := named(rules, want.Alert)
	if len(found) == 0 {
		return outcome{verdict: verify.Fail, line: noRule(want.Alert, rules), hints: []string{"correct the name, or load the rule into Prometheus"}}
	}
	o := outcome{verdict: verify.Pass, line: title + " is ready"}
	able := slices.DeleteFunc(slices.Clone(found), func(rule alertRule) bool { _, bad := conflict(rule.Labels, want.Labels); return bad })
	if len(able) == 0 {
		o.worse(verify.Fail, fmt.Sprintf("rule %s sets labels %s, so it can never be %s", want.Alert, braces(found[0].Labels), title))
	}
	for _, rule := range able {
		switch rule.Health {
		case healthErr:
			o.worse(verify.Fail, fmt.Sprintf("rule %s is unhealthy: %s", want.Alert, rule.LastError))
			o.hints = append(o.hints, "mend the rule first: an alert that cannot be evaluated cannot fire")
		case "ok":
		default:
			o.worse(verify.Inconclusive, fmt.Sprintf("rule %s has not been evaluated yet", want.Alert))
		}
	}
	for _, reason := range e.unfed(want.Alert) {
		o.detail(reason)
		o.hints = append(o.hints, "if the metric does not appear during the run and the alert stays quiet, the finding will be inconclusive")
	}
	for _, one := range e.runs() {
		if matches(one.series.Labels, want.Alert, want.Labels) && e.ongoing(want.Alert, one.run) {
			o.worse(verify.Fail, fmt.Sprintf("%s is firing already, since %s", one.title(), clock(one.run.First)))
			o.hints = append(o.hints, "wait until it has resolved: an alert that fires already proves nothing about the run")
		}
	}
	return o
}

// quiet says whether no forbidden alert fires.
func (e *evidence) quiet(spec Spec) outcome {
	o := outcome{verdict: verify.Pass, line: "no forbidden alert fires"}
	for _, one := range e.runs() {
		if spec.forbids(one.series.Labels) && e.ongoing(one.series.Labels[labelName], one.run) {
			o.worse(verify.Fail, fmt.Sprintf("%s is firing already, since %s, and is forbidden", one.title(), clock(one.run.First)))
			o.hints = append(o.hints, "wait until it has resolved, or name it under forbid.except with a reason")
		}
	}
	for _, reason := range e.sickRules(spec) {
		o.worse(verify.Fail, reason)
		o.hints = append(o.hints, "mend the rule, or name it under forbid.except with a reason")
	}
	for _, line := range e.pendingAtEnd(spec) {
		o.detail(line)
	}
	return o
}

// doubts is whether Prometheus evaluates its rules at this moment.
func (e *evidence) doubts() outcome {
	o := outcome{verdict: verify.Pass, line: "rules are evaluated"}
	now := e.through()
	recent := stretch{now.Add(-joinWithin(e.longest())), now}
	var reasons []string
	if gaps, watched := e.watchdog(recent); watched {
		reasons = gaps
	} else {
		reasons = e.idle(recent)
		o.detail("there is no alert that always fires (Watchdog): continuity is known only from the times of evaluation")
	}
	for _, one := range e.partial {
		reasons = append(reasons, "Prometheus called its answer partial: "+one.words)
	}
	for _, reason := range distinct(reasons) {
		o.worse(verify.Inconclusive, "cannot tell: "+reason)
	}
	if why := e.silent(); why != "" {
		o.worse(verify.Inconclusive, "cannot tell: "+why)
	}
	return o
}

// standingNow says what fires before anything is broken.
func (e *evidence) standingNow() string {
	var names []string
	for _, one := range e.runs() {
		if e.ongoing(one.series.Labels[labelName], one.run) {
			names = append(names, one.title())
		}
	}
	switch names = distinct(names); len(names) {
	case 0:
		return "nothing fires"
	case 1:
		return names[0] + " fires"
	default:
		return fmt.Sprintf("%d alerts fire, none that is expected or forbidden", len(names))
	}
}
