package alerts

import (
	"context"
	"fmt"
	"time"

	"gameday.dev/gameday/internal/prometheus"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/verify"
)

// Preflight asks, before anything is broken, whether the expected alerts could
// fire in time and be heard at all. What it cannot find out it says in a note:
// the baseline decides whether a run without that knowledge makes sense.
func (c check) Preflight(ctx context.Context, env verify.Env) ([]string, error) {
	if err := c.equipped(env); err != nil {
		return nil, err
	}
	o, err := c.observer(env)
	if err != nil {
		return nil, refusal.New("correct the environment", "%v", err)
	}
	answer, partial, err := o.client.Rules(ctx)
	if err != nil {
		// Not a refusal: the baseline says that nothing can be seen.
		return []string{"cannot tell beforehand which alerts can fire: " + err.Error()}, nil //nolint:nilerr // see above
	}
	p := preflight{rules: convert(answer)}
	if len(partial) > 0 {
		p.note("the list of rules is partial: %s", partial[0])
		p.partial = true
	}
	switch intervals, err := o.client.Intervals(ctx); {
	case prometheus.Unsupported(err):
		p.note("%s does not show its configuration: the scrape interval is taken as 0s, the true wait is longer", o.client)
	case err != nil:
		p.note("the scrape interval is taken as 0s: %v", err)
	default:
		p.scrape, p.offset = intervals.Scrape, intervals.RuleQueryOffset
	}
	if o.alertmanager != nil {
		p.askRoutes(ctx, o.alertmanager)
	}
	for _, want := range c.spec.Expect {
		if err := p.check(want); err != nil {
			return p.notes, err
		}
	}
	p.noteWatchdog()
	return p.notes, nil
}

// equipped refuses proofs that the environment has no eyes for.
func (c check) equipped(env verify.Env) error {
	if env.Prometheus == nil {
		return refusal.New("set spec.prometheus.url of the environment", "check %s watches alerts, but the environment names no Prometheus", c.name)
	}
	for _, want := range c.spec.Expect {
		switch {
		case (want.Proof == ProofRouted || want.Proof == ProofNotified) && env.Alertmanager == nil:
			return refusal.New("set spec.alertmanager.url of the environment, or promise proof: firing",
				"check %s: proof %s of %s needs an Alertmanager, and the environment names none", c.name, want.Proof, want.Alert)
		case want.Proof == ProofDelivered && env.Receiver == nil:
			return refusal.New("set spec.receiver.url of the environment, or promise less than delivered",
				"check %s: proof delivered of %s needs a receiver that can be asked, and the environment names none", c.name, want.Alert)
		}
	}
	return nil
}

// preflight is what is known before the run.
type preflight struct {
	rules    []alertRule
	partial  bool
	scrape   time.Duration
	offset   time.Duration
	routes   *routes
	silenced []prometheus.Silence
	notes    []string
}

func (p *preflight) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

func (p *preflight) askRoutes(ctx context.Context, alertmanager *prometheus.Alertmanager) {
	status, err := alertmanager.Status(ctx)
	if err == nil {
		var read routes
		if read, err = readRoutes(status.Config); err == nil {
			p.routes = &read
		}
	}
	if err != nil {
		p.note("cannot tell beforehand where alerts are routed: %v", err)
	}
	if p.silenced, err = alertmanager.Silences(ctx); err != nil {
		p.note("cannot tell beforehand whether alerts are silenced: %v", err)
	}
}

// check refuses an expectation that could not be kept.
func (p *preflight) check(want Expectation) error {
	found := named(p.rules, want.Alert)
	if len(found) == 0 {
		if p.partial {
			p.note("%s is not among the rules that were listed", want.Alert)
			return nil
		}
		return refusal.New("correct the alert's name, or load its rule into Prometheus", "%s", noRule(want.Alert, p.rules))
	}
	var able []alertRule
	for _, rule := range found {
		name, bad := conflict(rule.Labels, want.Labels)
		if !bad {
			able = append(able, rule)
		} else if len(found) == 1 {
			return refusal.New(fmt.Sprintf("expect %s=%q, or another alert", name, rule.Labels[name]),
				"%s can never carry %s=%q: its rule sets %s=%q", want.Alert, name, want.Labels[name], name, rule.Labels[name])
		}
	}
	if len(able) == 0 {
		return refusal.New("compare the labels with those the rules set", "none of the %d rules %s can carry %s", len(found), want.Alert, braces(want.Labels))
	}
	quickest, wait := able[0], wait{}
	for i, rule := range able {
		if next := newWait(rule, p.scrape, p.offset); i == 0 || next.total() < wait.total() {
			quickest, wait = rule, next
		}
	}
	if quickest.Health == healthErr {
		return refusal.New("mend the rule first: an alert that cannot be evaluated cannot fire", "rule %s is unhealthy: %s", want.Alert, quickest.LastError)
	}
	if err := p.checkRoute(want, quickest, &wait); err != nil {
		return err
	}
	if within := want.Within.Duration; wait.total() > within {
		return refusal.New("raise within and the step's hold, or expect an alert with a shorter for",
			"%s needs at least %s: %s; within is %s", want.Alert, exact(wait.total()), wait, exact(within))
	}
	p.note("%s can fire in %s: %s; within is %s", want.Alert, exact(wait.total()), wait, exact(want.Within.Duration))
	if keep := quickest.KeepFiringFor.Duration(); want.ResolvesWithin != nil && keep+wait.scrape+wait.evaluation > want.ResolvesWithin.Duration {
		p.note("%s goes on for %s after its condition has ended (keep_firing_for); resolvesWithin is %s", want.Alert, exact(keep), exact(want.ResolvesWithin.Duration))
	}
	return nil
}

func (p *preflight) noteWatchdog() {
	for _, rule := range p.rules {
		if rule.Watchdog {
			return
		}
	}
	p.note("no rule always fires (Watchdog, vector(1)): that rules are evaluated without gaps will be known less well")
}
