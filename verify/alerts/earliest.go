package alerts

import (
	"fmt"
	"strings"
	"time"
)

// wait is how long an alert takes from the fault to firing, part by part, when
// the fault comes at the worst moment for it. An alert may be quicker by luck;
// a promise must not rest on that.
type wait struct {
	scrape     time.Duration // until the fault is in the samples
	offset     time.Duration // until rules look at them
	evaluation time.Duration // until the rule is next evaluated
	hold       time.Duration // its for, rounded up to evaluations
	rule       time.Duration // its for, as written
	group      time.Duration // Alertmanager's group_wait, when a notification is promised
}

func newWait(rule alertRule, scrape, offset time.Duration) wait {
	interval := rule.Interval.Duration()
	return wait{scrape: scrape, offset: offset, evaluation: interval, hold: roundUp(rule.For.Duration(), interval), rule: rule.For.Duration()}
}

// roundUp gives the first evaluation at which a for has passed.
func roundUp(d, interval time.Duration) time.Duration {
	if interval <= 0 || d%interval == 0 {
		return d
	}
	return (d/interval + 1) * interval
}

func (w wait) total() time.Duration {
	return w.scrape + w.offset + w.evaluation + w.hold + w.group
}

// String spells the sum out: "scrape 1s + evaluation 1s + for 15m".
func (w wait) String() string {
	var parts []string
	add := func(name string, d time.Duration, note string) {
		if d > 0 {
			parts = append(parts, fmt.Sprintf("%s %s%s", name, exact(d), note))
		}
	}
	add("scrape", w.scrape, "")
	add("rule query offset", w.offset, "")
	add("evaluation", w.evaluation, "")
	note := ""
	if w.hold != w.rule {
		note = fmt.Sprintf(" (%s rounded up to evaluations)", exact(w.rule))
	}
	add("for", w.hold, note)
	add("group_wait", w.group, "")
	return strings.Join(parts, " + ")
}
