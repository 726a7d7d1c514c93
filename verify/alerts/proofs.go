package alerts

import (
	"context"
	"reflect"
	"slices"
	"time"

	"gameday.dev/gameday/internal/prometheus"
)

// The servers that may stop answering.
const (
	ofPrometheus   = "prometheus"
	ofAlertmanager = "alertmanager"
	ofReceiver     = "receiver"
)

// proofs is what has been seen of Alertmanager and the receiver so far. An
// event is written only when something changes; each names the time of the
// last look before it, so that a judge knows between which two moments the
// change came.
type proofs struct {
	routing  bool
	held     map[string][]heldAlert
	heldAt   map[string]time.Time
	counts   []sentCount
	countsAt time.Time
	arrived  map[string]bool // nil until the receiver has answered once
}

func newProofs() proofs {
	return proofs{held: map[string][]heldAlert{}, heldAt: map[string]time.Time{}}
}

// askProofs looks once at Alertmanager and the receiver.
func (o *observer) askProofs(ctx context.Context) {
	if o.alertmanager != nil {
		o.answered(ctx, ofAlertmanager, o.askAlertmanager(ctx))
	}
	if o.receiver != nil {
		o.answered(ctx, ofReceiver, o.askReceiver(ctx))
	}
}

// closeProofs says up to when the servers were asked.
func (o *observer) closeProofs() {
	if o.alertmanager == nil && o.receiver == nil {
		return
	}
	o.env.Record.Record(eventAsked, askedMark{
		At:           time.Now().UTC(),
		Alertmanager: o.alertmanager != nil && !o.down[ofAlertmanager],
		Receiver:     o.receiver != nil && !o.down[ofReceiver],
	})
}

func (o *observer) askAlertmanager(ctx context.Context) error {
	if !o.proofs.routing {
		if err := o.askRouting(ctx); err != nil {
			return err
		}
	}
	for _, alert := range o.proved() {
		if err := o.askHeld(ctx, alert); err != nil {
			return err
		}
	}
	if !o.needs(ProofNotified, ProofDelivered) {
		return nil
	}
	return o.askCounts(ctx)
}

func (o *observer) askRouting(ctx context.Context) error {
	status, err := o.alertmanager.Status(ctx)
	switch {
	case prometheus.Unsupported(err):
		o.env.Record.Record(eventRouting, routingTable{})
	case err != nil:
		return err
	default:
		routing := routingTable{Version: status.Version}
		if config, err := readRoutes(status.Config); err == nil {
			routing.Integrations = config.integrations
		}
		o.env.Record.Record(eventRouting, routing)
	}
	o.proofs.routing = true
	return nil
}

// proved are the alerts whose expectation asks for more than firing.
func (o *observer) proved() []string {
	var names []string
	for _, expectation := range o.spec.Expect {
		if expectation.Proof != "" && expectation.Proof != ProofFiring {
			names = append(names, expectation.Alert)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (o *observer) askHeld(ctx context.Context, alert string) error {
	answer, err := o.alertmanager.Alerts(ctx, alert)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	held := []heldAlert{}
	for _, one := range answer {
		held = append(held, heldAlert(one))
	}
	slices.SortFunc(held, func(a, b heldAlert) int { return compareKeys(a.Labels, b.Labels) })
	if known, ok := o.proofs.held[alert]; !ok || !reflect.DeepEqual(known, held) {
		o.env.Record.Record(eventHeld, heldList{At: now, Previous: o.proofs.heldAt[alert], Alert: alert, Alerts: held})
	}
	o.proofs.held[alert], o.proofs.heldAt[alert] = held, now
	return nil
}

func (o *observer) askCounts(ctx context.Context) error {
	answer, err := o.alertmanager.Notifications(ctx)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	counts := []sentCount{}
	for _, count := range answer {
		if count.Total > 0 {
			counts = append(counts, sentCount(count))
		}
	}
	slices.SortFunc(counts, compareCounts)
	if !reflect.DeepEqual(o.proofs.counts, counts) {
		o.env.Record.Record(eventCounts, countList{At: now, Previous: o.proofs.countsAt, Counts: counts})
	}
	o.proofs.counts, o.proofs.countsAt = counts, now
	return nil
}

// askReceiver writes each new arrival of an expected alert once. What had
// arrived before the first look is not of this run.
func (o *observer) askReceiver(ctx context.Context) error {
	answer, err := o.receiver.Deliveries(ctx)
	if err != nil {
		return err
	}
	arrived := map[string]bool{}
	for _, delivery := range answer {
		if !o.expects(delivery.Labels[labelName]) {
			continue
		}
		key := delivery.At.String() + delivery.Status + delivery.Receiver + keyOf(delivery.Labels)
		arrived[key] = true
		if o.proofs.arrived == nil || o.proofs.arrived[key] {
			continue
		}
		o.env.Record.Record(eventArrived, arrival(delivery))
	}
	o.proofs.arrived = arrived
	return nil
}
