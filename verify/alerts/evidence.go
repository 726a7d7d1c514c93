package alerts

import (
	"maps"
	"slices"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// evidence is what the record of this check holds, with all times by our clock.
type evidence struct {
	timeline verify.Timeline
	series   []alertSeries
	coverage []stretch
	final    bool
	partial  []said
	servers  []server
	rules    []ruled
	all      []ruled // those of rules that list every rule
	seen     []beat
	metrics  []metricList
	gaps     []gapMark
	routing  []routingTable
	held     []heldList
	counts   []countList
	arrived  []arrived
	asked    *askedMark
	failed   string // why the observer ended, when it did

	intervals map[string]time.Duration // the longest of the rules of that name

	offset      time.Duration // Prometheus' clock minus ours
	uncertainty time.Duration
	lag         time.Duration // from a sample's time to the moment its rule saw it
}

// stretch is from one moment to another.
type stretch struct{ from, to time.Time }

type said struct {
	during stretch
	words  string
}

type server struct {
	at time.Time
	serverState
}

type ruled struct {
	at    time.Time
	rules []alertRule
}

// arrived is an arrival and when we saw it, by our own clock.
type arrived struct {
	arrival
	seen time.Time
}

// beat is one look at how far the rules have been evaluated.
type beat struct{ at, evaluated time.Time }

func read(record *journal.Record, check string) (*evidence, error) {
	timeline, err := verify.ReadTimeline(record)
	if err != nil {
		return nil, err
	}
	e := &evidence{timeline: timeline, intervals: map[string]time.Duration{}}
	var samples []sampleSet
	for event := range record.OfCheck(check) {
		if err := e.take(event, &samples); err != nil {
			return nil, err
		}
	}
	e.setClock()
	e.setSeries(samples)
	for i := range e.arrived {
		e.arrived[i].StartsAt = e.arrived[i].StartsAt.Add(-e.offset)
	}
	for i := range e.held {
		for j := range e.held[i].Alerts {
			e.held[i].Alerts[j].StartsAt = e.held[i].Alerts[j].StartsAt.Add(-e.offset)
		}
	}
	return e, nil
}

func (e *evidence) take(event journal.Event, samples *[]sampleSet) error {
	var err error
	switch event.Kind {
	case eventSamples:
		err = appended(event, samples)
	case eventServer:
		var one serverState
		err = event.Decode(&one)
		e.servers = append(e.servers, server{event.Time, one})
	case eventRules:
		var one ruleList
		err = event.Decode(&one)
		e.rules = append(e.rules, ruled{event.Time, one.Rules})
		for _, rule := range one.Rules {
			e.intervals[rule.Name] = max(e.intervals[rule.Name], rule.Interval.Duration())
		}
		if one.All {
			e.all = append(e.all, ruled{event.Time, one.Rules})
		}
	case eventMetrics:
		err = appended(event, &e.metrics)
	case eventGap:
		err = appended(event, &e.gaps)
	case eventRouting:
		err = appended(event, &e.routing)
	case eventHeld:
		err = appended(event, &e.held)
	case eventCounts:
		err = appended(event, &e.counts)
	case eventArrived:
		var one arrival
		err = event.Decode(&one)
		e.arrived = append(e.arrived, arrived{one, event.Time})
	case eventAsked:
		e.asked = new(askedMark)
		err = event.Decode(e.asked)
	case journal.ObserverFailed:
		var reason journal.Reason
		err = event.Decode(&reason)
		e.failed = reason.Reason
	}
	return err
}

func appended[T any](event journal.Event, list *[]T) error {
	var one T
	if err := event.Decode(&one); err != nil {
		return err
	}
	*list = append(*list, one)
	return nil
}

// setClock takes the offset that was measured best, and doubts it by how far
// the others differ from it.
func (e *evidence) setClock() {
	if len(e.servers) == 0 {
		return
	}
	best := slices.MinFunc(e.servers, func(a, b server) int { return int((a.Uncertainty - b.Uncertainty) * 1e6) })
	e.offset, e.uncertainty = best.Offset.Duration(), best.Uncertainty.Duration()
	for _, one := range e.servers {
		e.uncertainty = max(e.uncertainty, (one.Offset - best.Offset).Duration().Abs())
		e.lag = max(e.lag, one.RuleQueryOffset.Duration())
	}
}

// setSeries merges the polls with the final collection. What a poll saw and
// the final collection lacks stays: samples don't unhappen.
func (e *evidence) setSeries(samples []sampleSet) {
	type sighting struct {
		series alertSeries
		to     time.Time
	}
	seen := map[string]sighting{}
	var to time.Time
	for _, one := range samples {
		during := stretch{e.shift(one.From), e.shift(one.To)}
		e.coverage = append(e.coverage, during)
		for _, words := range one.Partial {
			e.partial = append(e.partial, said{during, words})
		}
		if !one.Evaluated.IsZero() {
			e.seen = append(e.seen, beat{e.shift(one.To), e.shift(one.Evaluated)})
		}
		e.final = e.final || one.Final
		to = later(to, one.To)
		for _, series := range one.Series {
			if len(series.Runs) == 0 {
				continue
			}
			key := series.State + "\x00" + keyOf(series.Labels)
			if before, ok := seen[key]; ok && one.Final {
				series.Runs = mergedRuns(before.series.Runs, series.Runs)
			}
			seen[key] = sighting{series, one.To}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		one := seen[key]
		// A series that polls have not mentioned again has gone on: its end would
		// have been a change.
		last := &one.series.Runs[len(one.series.Runs)-1]
		if !e.final && one.to.Sub(last.Last) <= joinWithin(e.interval(one.series.Labels[labelName])) && to.After(one.to) {
			last.Last = to
		}
		for i := range one.series.Runs {
			run := &one.series.Runs[i]
			run.First, run.Last = e.shift(run.First).Add(e.lag), e.shift(run.Last).Add(e.lag)
		}
		for i := range one.series.Since {
			one.series.Since[i] = e.shift(one.series.Since[i])
		}
		e.series = append(e.series, one.series)
	}
}

// mergedRuns are the runs of two looks at the same series, overlaps joined.
func mergedRuns(a, b []alertRun) []alertRun {
	var all []alertRun
	for _, run := range slices.SortedFunc(slices.Values(slices.Concat(a, b)), func(a, b alertRun) int { return a.First.Compare(b.First) }) {
		if last := len(all) - 1; last >= 0 && !run.First.After(all[last].Last) {
			all[last].Last = later(all[last].Last, run.Last)
			all[last].Samples = max(all[last].Samples, run.Samples)
			all[last].Widest = max(all[last].Widest, run.Widest)
			continue
		}
		all = append(all, run)
	}
	return all
}

func (e *evidence) shift(at time.Time) time.Time { return at.Add(-e.offset) }

// through is up to when the samples are known.
func (e *evidence) through() time.Time {
	var to time.Time
	for _, one := range e.coverage {
		to = later(to, one.to)
	}
	return to
}

// interval is how often the rules of that name are evaluated.
func (e *evidence) interval(alert string) time.Duration {
	if longest := e.intervals[alert]; longest > 0 {
		return longest
	}
	return defaultInterval
}

// ongoing says whether a run may still go on where the samples end.
func (e *evidence) ongoing(alert string, run alertRun) bool {
	return e.through().Sub(run.Last) <= joinWithin(e.interval(alert))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
