package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// distrust lists why silence between two moments proves nothing: Prometheus
// was not seen, was restarted, or did not evaluate its rules. Empty means that
// an alert that is not in the samples did not fire.
func (e *evidence) distrust(during stretch) []string {
	var reasons []string
	reasons = append(reasons, e.unseen(during)...)
	reasons = append(reasons, e.restarts(during)...)
	for _, one := range e.partial {
		if overlap(one.during, during) {
			reasons = append(reasons, "Prometheus called its answer partial: "+one.words)
		}
	}
	if gaps, watched := e.watchdog(during); watched {
		reasons = append(reasons, gaps...)
		if len(e.seen) > 0 { // its own group may go on while that of another rule stands still
			reasons = append(reasons, e.idle(during)...)
		}
	} else {
		reasons = append(reasons, e.idle(during)...)
	}
	return distinct(reasons)
}

// unseen finds holes in what was asked for.
func (e *evidence) unseen(during stretch) []string {
	sorted := slices.SortedFunc(slices.Values(e.coverage), func(a, b stretch) int { return a.from.Compare(b.from) })
	known := during.from
	var reasons []string
	for _, one := range sorted {
		if one.from.After(known) && one.from.Before(during.to) {
			reasons = append(reasons, fmt.Sprintf("no samples were collected from %s to %s", clock(known), clock(one.from)))
		}
		known = later(known, one.to)
	}
	if known.Before(during.to) {
		reason := fmt.Sprintf("no samples were collected after %s", clock(known))
		if why := e.silent(); why != "" {
			reason += ": " + why
		}
		reasons = append(reasons, reason)
	}
	return reasons
}

// silent is why Prometheus does not answer at the end of the record.
func (e *evidence) silent() string {
	why := ""
	for _, gap := range e.gaps {
		if gap.Of == ofPrometheus {
			why = gap.Reason
		}
	}
	return why
}

// away finds the stretch within which a server did not answer; its end is zero
// when it never answered again.
func (e *evidence) away(of string, during stretch) (reason string, found bool) {
	var open *gapMark
	for _, gap := range e.gaps {
		switch {
		case gap.Of != of:
		case gap.Reason != "":
			open = &gap
		case open != nil:
			if overlap(stretch{open.At, gap.At}, during) {
				return fmt.Sprintf("from %s to %s: %s", clock(open.At), clock(gap.At), open.Reason), true
			}
			open = nil
		}
	}
	if open != nil && open.At.Before(during.to) {
		return fmt.Sprintf("from %s on: %s", clock(open.At), open.Reason), true
	}
	return "", false
}

// restarts finds processes that began meanwhile: a rule's state is lost with
// its process, and restored at most in part. A start that lies before the run
// is another replica behind the same URL, not a restart.
func (e *evidence) restarts(during stretch) []string {
	var reasons []string
	for _, one := range e.servers {
		if at := e.shift(one.StartTime); !one.StartTime.IsZero() && at.After(during.from) && at.Before(during.to) {
			reasons = append(reasons, "Prometheus was restarted at "+clock(at))
		}
	}
	return reasons
}

// watchdog finds gaps in the alert that always fires. watched is false when
// there is none. Where several fire always, one without gaps is enough.
func (e *evidence) watchdog(during stretch) (gaps []string, watched bool) {
	if e.through().Before(during.to) {
		during.to = e.through() // what was not collected is named elsewhere
	}
	names := e.watchdogs()
	for _, series := range e.series {
		name := series.Labels[labelName]
		if !slices.Contains(names, name) || series.State != stateFiring {
			continue
		}
		found := holes(name, series.Runs, during, joinWithin(e.interval(name)))
		if len(found) == 0 {
			return nil, true
		}
		gaps, watched = append(gaps, found...), true
	}
	if !watched && len(names) > 0 {
		return []string{names[0] + ", which should always fire, never did"}, true
	}
	return gaps, watched
}

func holes(name string, runs []alertRun, during stretch, join time.Duration) []string {
	var found []string
	known := during.from
	for _, run := range runs {
		if run.First.Sub(known) > join && known.Before(during.to) {
			found = append(found, fmt.Sprintf("%s, which always fires, did not from %s to %s", name, clock(known), clock(run.First)))
		}
		known = later(known, run.Last)
	}
	if during.to.Sub(known) > join {
		found = append(found, fmt.Sprintf("%s, which always fires, did not after %s", name, clock(known)))
	}
	return found
}

func (e *evidence) watchdogs() []string {
	var names []string
	for _, rules := range e.rules {
		for _, rule := range rules.rules {
			if rule.Watchdog {
				names = append(names, rule.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// idle is for a Prometheus without a watchdog: it looks at when the rules
// were last evaluated, as of each poll.
func (e *evidence) idle(during stretch) []string {
	if len(e.seen) == 0 {
		return []string{"nothing shows that rules are evaluated: there is no alert that always fires, and the rules don't say"}
	}
	longest := e.longest()
	var known time.Time
	for _, beat := range e.seen {
		known = later(known, beat.evaluated)
		if beat.at.Before(during.from) || beat.at.After(during.to) {
			continue
		}
		if behind := beat.at.Sub(beat.evaluated); behind > joinWithin(longest) {
			return []string{fmt.Sprintf("at %s the rules had last been evaluated %s before", clock(beat.at), round(behind))}
		}
	}
	// The last look may be a poll before the end of what is asked about.
	if during.to.Sub(known) > joinWithin(longest)+2*pollEvery {
		return []string{fmt.Sprintf("the rules are not known to have been evaluated after %s", clock(known))}
	}
	return nil
}

func (e *evidence) longest() time.Duration {
	longest := time.Duration(0)
	for _, rules := range e.rules {
		for _, rule := range rules.rules {
			longest = max(longest, rule.Interval.Duration())
		}
	}
	return longest
}

// unsound lists why the rules of that name may not have fired although they
// should have: unhealthy, changed or gone meanwhile.
func (e *evidence) unsound(alert string, during stretch) []string {
	var reasons []string
	var before []alertRule
	for _, one := range e.rules {
		if one.at.After(during.to) {
			break
		}
		now := named(one.rules, alert)
		last := one.at.Before(during.from)
		if !last {
			if len(now) == 0 && len(before) > 0 {
				reasons = append(reasons, fmt.Sprintf("rule %s was gone at %s", alert, clock(one.at)))
			}
			if changed(before, now) {
				reasons = append(reasons, fmt.Sprintf("rule %s was changed by %s", alert, clock(one.at)))
			}
		}
		for _, rule := range now {
			if rule.Health == healthErr && (!last || !healed(e.rules, alert, one.at, during.from)) {
				reasons = append(reasons, fmt.Sprintf("rule %s was unhealthy at %s: %s", alert, clock(one.at), rule.LastError))
			}
		}
		before = now
	}
	if before == nil {
		reasons = append(reasons, "there is no rule "+alert)
	}
	return distinct(reasons)
}

const healthErr = "err"

// healed says whether a later look, still before the window, found the rule well.
func healed(all []ruled, alert string, after, before time.Time) bool {
	for _, one := range all {
		if one.at.After(after) && !one.at.After(before) && !slices.ContainsFunc(named(one.rules, alert), func(r alertRule) bool { return r.Health == healthErr }) {
			return true
		}
	}
	return false
}

func named(rules []alertRule, alert string) []alertRule {
	var found []alertRule
	for _, rule := range rules {
		if rule.Name == alert {
			found = append(found, rule)
		}
	}
	return found
}

// changed compares what decides when a rule fires.
func changed(before, now []alertRule) bool {
	if len(before) == 0 || len(now) == 0 {
		return false
	}
	return !slices.EqualFunc(before, now, func(a, b alertRule) bool {
		return a.Query == b.Query && a.For == b.For && a.KeepFiringFor == b.KeepFiringFor &&
			a.Interval == b.Interval && keyOf(a.Labels) == keyOf(b.Labels)
	})
}

// unfed lists the metrics of a rule that nobody exports.
func (e *evidence) unfed(alert string) []string {
	var reasons []string
	for _, one := range e.rules {
		for _, rule := range named(one.rules, alert) {
			for _, metric := range metricsOf(rule.Query) {
				absent := len(e.metrics) > 0
				for _, look := range e.metrics {
					absent = absent && slices.Contains(look.Absent, metric)
				}
				if absent {
					reasons = append(reasons, fmt.Sprintf("nobody exports %s, which rule %s reads", metric, alert))
				}
			}
		}
	}
	return distinct(reasons)
}

func overlap(a, b stretch) bool { return a.from.Before(b.to) && b.from.Before(a.to) }

func distinct(all []string) []string {
	var kept []string
	seen := make(map[string]bool, len(all))
	for _, one := range all {
		if !seen[one] {
			seen[one] = true
			kept = append(kept, one)
		}
	}
	return kept
}

func cannotTell(reasons []string) string { return "cannot tell: " + strings.Join(reasons, "; ") }
