package alerts

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"gameday.dev/gameday/internal/prometheus"
)

const (
	// chunk bounds the window of one question, and so the size of its answer.
	chunk = 10 * time.Minute
	// furthest bounds how far a poll looks back after Prometheus was away.
	furthest = time.Hour
	// stray is how far outside the window asked for a sample may lie.
	stray = time.Second
	// movedClock is how much the offset of the clocks may change unrecorded.
	movedClock = 100 * time.Millisecond
)

// first sees the world as it is before anything is broken.
func (o *observer) first(ctx context.Context) error {
	if err := o.askServer(ctx, true); err != nil {
		return err
	}
	rules, partial, err := o.client.Rules(ctx)
	if err != nil {
		return err
	}
	longest := o.learn(rules)
	o.to = o.now()
	o.start = o.to.Add(-min(max(3*longest, time.Minute), chunk))
	series, warnings, err := o.samples(ctx, "ALERTS", o.start, o.to)
	if err != nil {
		return err
	}
	since, _, err := o.samples(ctx, "ALERTS_FOR_STATE", o.start, o.to)
	if err != nil {
		return err
	}
	o.live.add(series)
	o.live.activations(since)
	o.firing = o.standing()
	o.writeRules(true, rules, partial)
	o.env.Record.Record(eventSamples, sampleSet{
		From: o.start, To: o.to, All: true, Series: o.live.list(nil), Evaluated: oldest(o.watched(rules)), Partial: warnings,
	})
	if err := o.askMetrics(ctx, rules); err != nil {
		return err
	}
	o.askProofs(ctx)
	return nil
}

// poll sees what has happened since the last poll.
func (o *observer) poll(ctx context.Context, round int) error {
	now := o.now()
	from := o.to.Add(-joinWithin(o.longest()))
	if now.Sub(from) > furthest {
		from = now.Add(-furthest)
	}
	series, partial, err := o.samples(ctx, "ALERTS", from, now)
	if err != nil {
		return err
	}
	changed := o.live.add(series)
	o.to = now
	standing := o.standing()
	for key := range o.live.series {
		if standing[key] != o.firing[key] {
			changed = append(changed, key)
		}
	}
	o.firing = standing
	if len(changed) > 0 {
		if since, err := o.client.Query(ctx, "ALERTS_FOR_STATE", now); err == nil {
			o.live.activations(since.Series) // without it the final collection will tell
		}
	}
	all := round%12 == 0
	var names []string
	if !all {
		names = o.watchedNames()
	}
	rules, warnings, rulesErr := o.client.Rules(ctx, names...)
	for key, known := range o.live.series {
		if o.isWatchdog(known.labels[labelName]) {
			changed = append(changed, key)
		}
	}
	slices.Sort(changed)
	samples := sampleSet{From: from, To: now, Series: o.live.list(append([]string{}, slices.Compact(changed)...)), Partial: partial}
	if rulesErr == nil {
		samples.Evaluated = oldest(o.watched(rules))
	}
	o.env.Record.Record(eventSamples, samples)
	if rulesErr != nil {
		return rulesErr
	}
	o.writeRules(all, rules, warnings)
	if round%3 == 0 {
		return o.askServer(ctx, false)
	}
	return nil
}

// last collects everything anew, into an empty history.
func (o *observer) last(ctx context.Context) error {
	now := o.now()
	whole := newHistory(o.intervalOf)
	var partial []string
	var since []prometheus.Series
	for from := o.start; from.Before(now); from = from.Add(chunk) {
		to := from.Add(chunk)
		if to.After(now) {
			to = now
		}
		series, warnings, err := o.samples(ctx, "ALERTS", from.Add(-stray), to)
		if err != nil {
			return err
		}
		whole.add(series)
		activations, more, err := o.samples(ctx, "ALERTS_FOR_STATE", from.Add(-stray), to)
		if err != nil {
			return err
		}
		since = append(since, activations...)
		partial = append(partial, append(warnings, more...)...)
	}
	whole.activations(since)
	rules, warnings, err := o.client.Rules(ctx)
	if err != nil {
		return err
	}
	o.writeRules(true, rules, warnings)
	if err := o.askServer(ctx, true); err != nil {
		return err
	}
	if err := o.askMetrics(ctx, rules); err != nil {
		return err
	}
	o.to = now
	o.env.Record.Record(eventSamples, sampleSet{
		From: o.start, To: now, All: true, Final: true, Series: whole.list(nil), Evaluated: oldest(o.watched(rules)),
		Partial: slices.Compact(partial),
	})
	return nil
}

// samples asks for the raw samples of a metric between two times of
// Prometheus' clock, and refuses an answer to another question.
func (o *observer) samples(ctx context.Context, metric string, from, to time.Time) ([]prometheus.Series, []string, error) {
	window := max(1, int(math.Ceil(to.Sub(from).Seconds())))
	result, err := o.client.Query(ctx, fmt.Sprintf("%s[%ds]", metric, window), to)
	if err != nil {
		return nil, nil, err
	}
	earliest := to.Add(-time.Duration(window)*time.Second - stray)
	for _, series := range result.Series {
		if name := series.Labels["__name__"]; name != metric || series.Labels[labelName] == "" {
			return nil, nil, fmt.Errorf("asking %s for %s: the answer holds series %q", o.client, metric, name)
		}
		for _, sample := range series.Samples {
			if sample.Time.Before(earliest) || sample.Time.After(to.Add(stray)) {
				return nil, nil, fmt.Errorf("asking %s for %s: the answer holds samples from outside the time asked for", o.client, metric)
			}
		}
	}
	return result.Series, result.Partial, nil
}

// askServer learns clock and life of the server, and writes what changed.
func (o *observer) askServer(ctx context.Context, write bool) error {
	clock, err := o.client.Clock(ctx)
	if err != nil {
		return err
	}
	next := o.server
	next.Offset, next.Uncertainty = secondsOf(clock.Offset), secondsOf(clock.Uncertainty)
	switch runtime, err := o.client.Runtime(ctx); {
	case err == nil:
		next.StartTime, next.LastReload = runtime.StartTime, runtime.LastConfigTime
	case !prometheus.Unsupported(err):
		return err
	}
	if write {
		intervals, err := o.client.Intervals(ctx)
		if err == nil {
			next.RuleQueryOffset, o.usual = secondsOf(intervals.RuleQueryOffset), intervals.Evaluation
		}
	}
	stepped := (next.Offset - o.server.Offset).Duration().Abs() > movedClock
	if write || stepped || !next.StartTime.Equal(o.server.StartTime) || !next.LastReload.Equal(o.server.LastReload) {
		o.env.Record.Record(eventServer, next)
	}
	o.server = next
	return nil
}

// askMetrics finds out which metrics of the expected rules exist at all.
func (o *observer) askMetrics(ctx context.Context, rules []prometheus.Rule) error {
	var names []string
	for _, rule := range rules {
		if o.expects(rule.Name) {
			names = append(names, metricsOf(rule.Query)...)
		}
	}
	slices.Sort(names)
	var found metricList
	for _, name := range slices.Compact(names) {
		result, err := o.client.Query(ctx, fmt.Sprintf("count({__name__=%q})", name), o.now())
		switch {
		case err != nil:
			return err
		case len(result.Series) > 0:
			found.Present = append(found.Present, name)
		case len(result.Partial) == 0:
			found.Absent = append(found.Absent, name)
		}
	}
	o.env.Record.Record(eventMetrics, found)
	return nil
}

// now is the server's time.
func (o *observer) now() time.Time {
	return time.Now().UTC().Add(o.server.Offset.Duration()).Truncate(time.Millisecond)
}

// learn keeps the rules' intervals and returns the longest.
func (o *observer) learn(rules []prometheus.Rule) time.Duration {
	for _, rule := range rules {
		o.intervals[rule.Name] = max(o.intervals[rule.Name], rule.Interval)
	}
	return o.longest()
}

func (o *observer) intervalOf(alert string) time.Duration {
	if interval := o.intervals[alert]; interval > 0 {
		return interval
	}
	return o.usual
}

func (o *observer) longest() time.Duration {
	longest := time.Second
	for _, interval := range o.intervals {
		longest = max(longest, interval)
	}
	return longest
}

// standing is the set of series that have a sample up to now.
func (o *observer) standing() map[string]bool {
	standing := map[string]bool{}
	for key, known := range o.live.series {
		last := known.runs[len(known.runs)-1].Last
		standing[key] = o.to.Sub(last) <= joinWithin(o.intervalOf(known.labels[labelName]))
	}
	return standing
}

// writeRules writes the rules when they differ from those written before.
func (o *observer) writeRules(all bool, answer []prometheus.Rule, partial []string) {
	o.learn(answer)
	rules := convert(answer)
	if known, ok := o.rules[all]; ok && reflect.DeepEqual(known, rules) && len(partial) == 0 {
		return
	}
	o.rules[all] = rules
	o.env.Record.Record(eventRules, ruleList{At: o.now(), All: all, Rules: rules, Partial: partial})
}
