package alerts

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"gameday.dev/gameday/internal/prometheus"
)

// isWatchdog recognises an alert that always fires: by its expression, or by
// the names that monitoring mixins give it.
func isWatchdog(name, query string) bool {
	switch {
	case strings.ReplaceAll(query, " ", "") == "vector(1)":
		return true
	default:
		return strings.EqualFold(name, "Watchdog") || strings.EqualFold(name, "DeadMansSwitch")
	}
}

func (o *observer) isWatchdog(alert string) bool {
	return slices.ContainsFunc(o.rules[true], func(rule alertRule) bool { return rule.Watchdog && rule.Name == alert })
}

func (c check) expects(alert string) bool {
	return slices.ContainsFunc(c.spec.Expect, func(e Expectation) bool { return e.Alert == alert })
}

// watchedNames are the rules asked for at each poll.
func (o *observer) watchedNames() []string {
	var names []string
	for _, expectation := range o.spec.Expect {
		names = append(names, expectation.Alert)
	}
	for _, rule := range o.rules[true] {
		if rule.Watchdog {
			names = append(names, rule.Name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 && len(o.rules[true]) > 0 {
		names = append(names, o.rules[true][0].Name) // any rule shows that rules are evaluated
	}
	return slices.Compact(names)
}

// watched are those of the rules that are asked for at each poll.
func (o *observer) watched(rules []prometheus.Rule) []prometheus.Rule {
	names := o.watchedNames()
	var watched []prometheus.Rule
	for _, rule := range rules {
		if slices.Contains(names, rule.Name) {
			watched = append(watched, rule)
		}
	}
	return watched
}

// oldest is the evaluation that lies furthest back; zero when there is none.
func oldest(rules []prometheus.Rule) time.Time {
	var at time.Time
	for _, rule := range rules {
		if at.IsZero() || rule.LastEvaluation.Before(at) {
			at = rule.LastEvaluation
		}
	}
	return at
}

// convert keeps what a judge needs of rules, in a stable order.
func convert(answer []prometheus.Rule) []alertRule {
	rules := make([]alertRule, 0, len(answer))
	for _, rule := range answer {
		rules = append(rules, alertRule{
			Name: rule.Name, Group: rule.Group, Query: rule.Query, Labels: rule.Labels,
			For: secondsOf(rule.For), KeepFiringFor: secondsOf(rule.KeepFiringFor), Interval: secondsOf(rule.Interval),
			Health: rule.Health, LastError: rule.LastError, Watchdog: isWatchdog(rule.Name, rule.Query),
		})
	}
	slices.SortStableFunc(rules, func(a, b alertRule) int {
		return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Name, b.Name))
	})
	return rules
}
