package alerts

import (
	"fmt"
	"maps"

	"gameday.dev/gameday/internal/refusal"
)

// checkRoute refuses an alert that would fire unheard although more than
// firing is promised: silenced, or routed to a receiver that notifies nobody.
// It adds what Alertmanager waits to the time the alert needs.
func (p *preflight) checkRoute(want Expectation, rule alertRule, wait *wait) error {
	if want.Proof == "" || want.Proof == ProofFiring {
		return nil
	}
	labels := maps.Clone(want.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, labelsOf(rule))
	for _, silence := range p.silenced {
		switch silences(silence, labels) {
		case yes:
			return refusal.New("expire the silence, or promise proof: firing", "%s is silenced until %s by %s (%s: %s)",
				want.Alert, silence.EndsAt.UTC().Format("2006-01-02 15:04 MST"), silence.CreatedBy, silence.ID, silence.Comment)
		case no:
		case maybe:
			p.note("%s may be silenced by %s (%s), depending on labels not known beforehand", want.Alert, silence.CreatedBy, silence.ID)
		}
	}
	if p.routes == nil {
		return nil
	}
	return p.checkLegs(want, p.routes.find(labels), wait)
}

func (p *preflight) checkLegs(want Expectation, legs []leg, wait *wait) error {
	var heard *leg
	for _, one := range legs {
		integrations := p.routes.integrations[one.receiver]
		switch {
		case len(integrations) == 0 && one.certain:
			p.note("%s is routed to %s, which notifies nobody", want.Alert, one.receiver)
		case len(integrations) == 0:
			p.note("%s may be routed to %s, which notifies nobody, depending on labels not known beforehand", want.Alert, one.receiver)
		case heard == nil || one.wait < heard.wait:
			heard = &one
		}
		if one.timed {
			p.note("the route of %s to %s is muted or active only at times: not looked at", want.Alert, one.receiver)
		}
	}
	if heard == nil {
		return refusal.New(fmt.Sprintf("route %s to a receiver with an integration, or promise proof: firing", want.Alert),
			"%s is routed only to receivers that notify nobody, so it can never be %s", want.Alert, want.Proof)
	}
	if want.Proof == ProofNotified || want.Proof == ProofDelivered {
		wait.group = heard.wait
		if heard.groupInterval > want.Within.Duration {
			p.note("%s waits for group_interval %s instead of group_wait %s if its group has been notified already", want.Alert, exact(heard.groupInterval), exact(heard.wait))
		}
	}
	return nil
}
