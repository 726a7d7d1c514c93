package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gameday.dev/gameday/internal/prometheus"
	"gameday.dev/gameday/verify"
)

const (
	pollEvery = 5 * time.Second
	// firstLook bounds the wait for a Prometheus that does not answer at all.
	firstLook = 20 * time.Second
	// retryEvery is the pause after a failure where time is short.
	retryEvery = time.Second
	// defaultGrace is for loops that lend none.
	defaultGrace = 15 * time.Second
)

// observer watches for one check. It has no opinion on what it sees.
type observer struct {
	check
	env          verify.Env
	client       *prometheus.Client
	alertmanager *prometheus.Alertmanager // nil when no proof needs it
	receiver     *prometheus.Receiver     // nil when no proof needs it

	start     time.Time // of the window, by Prometheus' clock
	to        time.Time // end of what has been seen of it
	server    serverState
	rules     map[bool][]alertRule     // last written, by ruleList.All
	intervals map[string]time.Duration // of the rules of that name
	usual     time.Duration            // interval where no rule is known
	live      *history
	firing    map[string]bool      // series that had a sample at the last poll
	down      map[string]bool      // servers that do not answer
	heard     map[string]time.Time // when each last answered
	proofs    proofs
}

// Observe records what Prometheus holds, and where a proof needs it what
// Alertmanager and the receiver hold, until ctx ends.
func (c check) Observe(ctx context.Context, env verify.Env) error {
	o, err := c.observer(env)
	if err != nil {
		return err
	}
	if err := o.begin(ctx); err != nil {
		return fmt.Errorf("watching alerts: %w", err)
	}
	o.answered(ctx, ofPrometheus, nil)
	env.Started()
	o.watch(ctx)
	grace := env.Grace
	if grace <= 0 {
		grace = defaultGrace
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	o.finish(last)
	return nil
}

// observer makes the clients; it asks nothing yet.
func (c check) observer(env verify.Env) (*observer, error) {
	if env.Prometheus == nil {
		return nil, errors.New("watching alerts: the environment names no Prometheus")
	}
	o := &observer{
		check: c, env: env,
		rules: map[bool][]alertRule{}, intervals: map[string]time.Duration{}, usual: defaultInterval,
		firing: map[string]bool{}, down: map[string]bool{}, heard: map[string]time.Time{}, proofs: newProofs(),
	}
	o.live = newHistory(o.intervalOf)
	var err error
	if o.client, err = prometheus.New(config(env.Prometheus)); err != nil {
		return nil, err
	}
	if env.Alertmanager != nil && c.needs(ProofRouted, ProofNotified, ProofDelivered) {
		if o.alertmanager, err = prometheus.NewAlertmanager(config(env.Alertmanager)); err != nil {
			return nil, err
		}
	}
	if env.Receiver != nil && c.needs(ProofDelivered) {
		if o.receiver, err = prometheus.NewReceiver(config(env.Receiver)); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func config(e *verify.Endpoint) prometheus.Config {
	return prometheus.Config{
		URL: e.URL, CAFile: e.CAFile, CertFile: e.CertFile, KeyFile: e.KeyFile,
		BearerTokenFile: e.BearerTokenFile, Headers: e.Headers, InsecureSkipVerify: e.InsecureSkipVerify,
	}
}

// begin takes the first look. It tries for a while, since a run may begin
// while Prometheus is being moved, and gives up with the last reason.
func (o *observer) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	var last error
	for {
		err := o.first(ctx)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err // what came of the deadline explains nothing
		}
		if !pause(ctx, retryEvery) {
			return last
		}
	}
}

// watch polls until ctx ends. Requests are few: two to Prometheus each time,
// and now and then a third.
func (o *observer) watch(ctx context.Context) {
	ticker := time.NewTicker(o.every)
	defer ticker.Stop()
	for round := 1; ; round++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		o.answered(ctx, ofPrometheus, o.poll(ctx, round))
		o.askProofs(ctx)
	}
}

// finish collects the whole window once more, since samples may have arrived
// late, and tries again as long as its grace lasts.
func (o *observer) finish(ctx context.Context) {
	for {
		err := o.last(ctx)
		o.answered(ctx, ofPrometheus, err)
		if err == nil || !pause(ctx, retryEvery) {
			break
		}
	}
	o.askProofs(ctx)
	o.closeProofs()
}

// answered writes a gap when a server stops answering, and its end. The gap
// begins with its last answer: nobody knows when it went away after that.
func (o *observer) answered(ctx context.Context, of string, err error) {
	now := time.Now().UTC()
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil: // we hung up
	case err != nil && !o.down[of]:
		o.down[of] = true
		since := o.heard[of]
		if since.IsZero() {
			since = now
		}
		o.env.Record.Record(eventGap, gapMark{At: since, Of: of, Reason: err.Error()})
	case err == nil && o.down[of]:
		o.env.Record.Record(eventGap, gapMark{At: now, Of: of})
		fallthrough
	case err == nil:
		o.down[of], o.heard[of] = false, now
	}
}

// pause waits, and says whether there is time left.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// needs says whether an expectation asks for one of these proofs.
func (c check) needs(proofs ...string) bool {
	for _, expectation := range c.spec.Expect {
		for _, proof := range proofs {
			if expectation.Proof == proof {
				return true
			}
		}
	}
	return false
}
