package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gameday.dev/gameday/verify"
)

// judgeProof follows a firing alert as far as its expectation asks.
func (e *evidence) judgeProof(o *outcome, want Expectation, first firing, during stretch) {
	var reached proof
	switch want.Proof {
	case "", ProofFiring:
		return
	case ProofRouted:
		reached = e.routed(want, first)
	case ProofNotified:
		reached = e.notified(want, first)
	case ProofDelivered:
		reached = e.delivered(want, first)
	default:
		reached.blind = "proof " + want.Proof + " is not known"
	}
	e.conclude(o, want, reached, during)
}

// proof is the moment an alert got as far as it should.
type proof struct {
	after, at time.Time // it happened between these; at is zero when it did not
	evidence  string
	hindrance string // why it never will: silenced, inhibited, null receiver
	blind     string // why it cannot be told
}

func (e *evidence) conclude(o *outcome, want Expectation, reached proof, during stretch) {
	if reached.evidence != "" {
		o.detail(reached.evidence)
	}
	word := want.Proof
	switch {
	case !reached.at.IsZero() && !reached.at.After(during.to):
		how := "after"
		if reached.after.Before(reached.at) {
			how = "within" // it was seen at a look, and happened some time before
		}
		o.line += fmt.Sprintf(", %s %s %s", word, how, round(max(0, reached.at.Sub(during.from))))
	case !reached.at.IsZero() && reached.after.After(during.to):
		o.worse(verify.Fail, fmt.Sprintf("%s, but was %s only %s after the step, %s were allowed", o.line, word,
			round(reached.at.Sub(during.from)), exact(want.Within.Duration)))
	case !reached.at.IsZero():
		o.worse(verify.Inconclusive, fmt.Sprintf("%s; cannot tell whether it was %s in time: that was between %s and %s, the deadline was %s",
			o.line, word, clock(reached.after), clock(reached.at), clock(during.to)))
	case reached.blind != "":
		o.worse(verify.Inconclusive, fmt.Sprintf("%s; cannot tell whether it was %s: %s", o.line, word, reached.blind))
		e.leaveOpen(o, want, during)
	case e.asked == nil || e.asked.At.Before(during.to):
		o.worse(verify.Inconclusive, fmt.Sprintf("%s; it has not been %s by %s", o.line, word, clock(e.timeline.Now)))
		e.leaveOpen(o, want, during)
	default:
		why := ""
		if reached.hindrance != "" {
			why = ": " + reached.hindrance
		}
		o.worse(verify.Fail, fmt.Sprintf("%s, but was not %s within %s%s", o.line, word, exact(want.Within.Duration), why))
	}
}

func (e *evidence) leaveOpen(o *outcome, want Expectation, during stretch) {
	until := during.to.Add(e.slack(want.Alert))
	if e.asked == nil && e.timeline.Finished.IsZero() && e.failed == "" && e.timeline.Now.Before(until) {
		o.until = later(o.until, until)
	}
}

// routed: Alertmanager holds the alert as active, for a receiver that notifies.
func (e *evidence) routed(want Expectation, first firing) proof {
	integrations, known := e.integrations()
	var result proof
	var nulls []string
	for _, look := range e.held {
		for _, one := range look.Alerts {
			if look.Alert != want.Alert || !e.sameFiring(one.Labels, one.StartsAt, want, first) {
				continue
			}
			if why := suppressed(one); why != "" {
				result.hindrance = why
				continue
			}
			if one.State != "active" {
				continue
			}
			for _, receiver := range one.Receivers {
				if !known {
					result.blind = fmt.Sprintf("Alertmanager holds it for receiver %s, but does not show whether that notifies anybody", receiver)
					continue
				}
				if len(integrations[receiver]) == 0 {
					nulls = append(nulls, receiver)
					continue
				}
				result.after, result.at, result.hindrance, result.blind = look.Previous, look.At, "", ""
				result.evidence = fmt.Sprintf("Alertmanager held it as active at %s for receiver %s (%s)", clock(look.At), receiver, strings.Join(integrations[receiver], ", "))
				return result
			}
		}
	}
	if len(nulls) > 0 && result.hindrance == "" {
		result.hindrance = fmt.Sprintf("it is routed to %s, which notifies nobody", strings.Join(distinct(nulls), ", "))
	}
	if why, away := e.away(ofAlertmanager, stretch{first.run.First, e.timeline.Now}); away && result.blind == "" {
		result.blind = "Alertmanager did not answer " + why
	} else if result.blind == "" && e.asked != nil && !e.asked.Alertmanager {
		result.blind = "Alertmanager was not asked to the end"
	} else if result.hindrance == "" {
		result.hindrance = "Alertmanager never held it as active"
	}
	return result
}

// suppressed says why Alertmanager keeps an alert to itself.
func suppressed(one heldAlert) string {
	switch {
	case len(one.SilencedBy) > 0:
		return "it is silenced by " + strings.Join(one.SilencedBy, ", ")
	case len(one.InhibitedBy) > 0:
		return "it is inhibited by another alert"
	case len(one.MutedBy) > 0:
		return "it is muted by time interval " + strings.Join(one.MutedBy, ", ")
	}
	return ""
}

// notified: the counters of an integration that the alert is routed to rose
// after it fired, by more than failed. They count the notifications of all
// alerts; the evidence says so.
func (e *evidence) notified(want Expectation, first firing) proof {
	routed := e.routed(want, first)
	if routed.at.IsZero() {
		return routed
	}
	integrations, _ := e.integrations()
	receivers := e.receivers(want, first)
	result := proof{hindrance: "no integration it is routed to has notified since"}
	var before countList
	for _, look := range e.counts {
		if !look.At.After(first.run.First) {
			before = look
			continue
		}
		if look.Previous.IsZero() {
			result.blind = "the counters were not known before it fired"
			before = look
			continue
		}
		if look.Previous.Before(first.run.First) && e.othersMoved(first, look.Previous) {
			result.blind = "the counters rose between two looks in which other alerts began or ended too"
			before = look
			continue
		}
		sent, failed, reset := rise(before, look, integrations, receivers)
		switch {
		case reset:
			return proof{blind: "Alertmanager's counters were reset: it was restarted, or another replica answered"}
		case sent > 0 && failed == 0:
			return proof{after: look.Previous, at: look.At, evidence: fmt.Sprintf(
				"Alertmanager counts %g more notifications by %s at %s, none failed; it counts those of all alerts, so proof: delivered proves more",
				sent, strings.Join(through(integrations, receivers), ", "), clock(look.At))}
		case sent > 0:
			return proof{blind: fmt.Sprintf("%g notifications were sent and %g failed, and it cannot be told which was this alert's", sent, failed)}
		case failed > 0:
			result.hindrance, result.blind = fmt.Sprintf("%g notifications failed", failed), ""
		}
	}
	if why, away := e.away(ofAlertmanager, stretch{first.run.First, e.timeline.Now}); away {
		result.blind = "Alertmanager did not answer " + why
	}
	return result
}

// othersMoved says whether another alert began or ended, and so may have been
// notified, between a moment and the firing.
func (e *evidence) othersMoved(first firing, after time.Time) bool {
	during := stretch{after, first.run.First}
	return slices.ContainsFunc(e.runs(), func(one firing) bool {
		began := stretch{one.run.First, one.run.First.Add(time.Nanosecond)}
		ended := stretch{one.run.Last, one.end}
		return keyOf(one.series.Labels) != keyOf(first.series.Labels) &&
			(overlap(began, during) || overlap(ended, during) && !e.ongoing(one.series.Labels[labelName], one.run))
	})
}

// rise is how much the counters of these receivers' integrations grew.
func rise(before, after countList, integrations map[string][]string, receivers []string) (sent, failed float64, reset bool) {
	for _, now := range after.Counts {
		if now.Receiver != "" && !slices.Contains(receivers, now.Receiver) || !slices.Contains(through(integrations, receivers), now.Integration) {
			continue
		}
		var was sentCount
		for _, one := range before.Counts {
			if one.Integration == now.Integration && one.Receiver == now.Receiver {
				was = one
			}
		}
		total, lost := now.Total-was.Total, now.Failed-was.Failed
		if total < 0 || lost < 0 {
			return 0, 0, true
		}
		sent, failed = sent+total-lost, failed+lost
	}
	return sent, failed, false
}

// delivered: the receiver has it.
func (e *evidence) delivered(want Expectation, first firing) proof {
	for _, one := range e.arrived {
		if one.Status == stateFiring && e.sameFiring(one.Labels, one.StartsAt, want, first) {
			reached := proof{after: one.At, at: one.At, evidence: fmt.Sprintf(
				"receiver %s got it at %s by its own clock, as firing since %s", one.Receiver, clock(one.At), clock(one.StartsAt))}
			// A clock that has it arrive before it fired, or after we saw it, is no
			// measure. Then only these two bounds are known.
			if one.At.Before(first.run.First.Add(-time.Second-e.uncertainty)) || one.At.After(one.seen.Add(time.Second)) {
				reached.after, reached.at = first.run.First, one.seen
			}
			return reached
		}
	}
	if why, away := e.away(ofReceiver, stretch{e.timeline.Now.Add(-time.Nanosecond), e.timeline.Now}); away {
		return proof{blind: "the receiver did not answer " + why}
	}
	if e.asked != nil && !e.asked.Receiver {
		return proof{blind: "the receiver was not asked to the end"}
	}
	result := proof{hindrance: "the receiver never got it"}
	if len(e.routing) == 0 {
		return result
	}
	switch routed := e.routed(want, first); {
	case !routed.at.IsZero():
		result.evidence = routed.evidence
	case routed.hindrance != "":
		result.hindrance += "; " + routed.hindrance
	}
	return result
}

// sameFiring says whether an alert at Alertmanager is the one that Prometheus
// began to fire: same labels, begun at the same time or, when it flapped, later.
func (e *evidence) sameFiring(labels map[string]string, startsAt time.Time, want Expectation, first firing) bool {
	return matches(labels, want.Alert, want.Labels) && !startsAt.Before(first.run.First.Add(-time.Second-e.uncertainty))
}

func (e *evidence) integrations() (map[string][]string, bool) {
	for _, routing := range slices.Backward(e.routing) {
		return routing.Integrations, routing.Integrations != nil
	}
	return nil, false
}

func (e *evidence) receivers(want Expectation, first firing) []string {
	var names []string
	for _, look := range e.held {
		for _, one := range look.Alerts {
			if look.Alert == want.Alert && e.sameFiring(one.Labels, one.StartsAt, want, first) {
				names = append(names, one.Receivers...)
			}
		}
	}
	return distinct(names)
}

func through(integrations map[string][]string, receivers []string) []string {
	var all []string
	for _, receiver := range receivers {
		all = append(all, integrations[receiver]...)
	}
	return distinct(all)
}
