package alerts

import (
	"maps"
	"slices"
	"strings"
	"time"

	"gameday.dev/gameday/internal/prometheus"
)

// defaultInterval is assumed of a series whose rule is not known: Prometheus' own default.
const defaultInterval = time.Minute

// joinWithin is the longest time between two samples that still is one stretch
// of firing: an evaluation may come late, or be missed once.
func joinWithin(interval time.Duration) time.Duration {
	return interval*5/2 + 500*time.Millisecond
}

// history gathers the samples of all alerts, once each however often they are seen.
type history struct {
	series map[string]*track
	// interval tells how often the rule of that name is evaluated.
	interval func(alert string) time.Duration
}

type track struct {
	labels map[string]string
	state  string
	runs   []alertRun
	since  []time.Time
}

func newHistory(interval func(string) time.Duration) *history {
	return &history{series: map[string]*track{}, interval: interval}
}

// add takes in the samples of one answer and returns the keys of the series
// that moved: that began a run, in the eyes of the history.
func (h *history) add(answer []prometheus.Series) (moved []string) {
	for _, series := range answer {
		labels, state := split(series.Labels)
		if state != stateFiring && state != statePending {
			continue
		}
		key := state + "\x00" + keyOf(labels)
		known, ok := h.series[key]
		if !ok {
			known = &track{labels: labels, state: state}
			h.series[key] = known
		}
		before := len(known.runs)
		join := joinWithin(h.interval(labels[labelName]))
		for _, sample := range series.Samples {
			known.runs = extend(known.runs, sample.Time, join)
		}
		if len(known.runs) != before {
			moved = append(moved, key)
		}
	}
	slices.Sort(moved)
	return moved
}

// extend adds a sample at the end; a sample that is not after the last is known already.
func extend(runs []alertRun, at time.Time, join time.Duration) []alertRun {
	if len(runs) == 0 {
		return append(runs, alertRun{First: at, Last: at, Samples: 1})
	}
	last := &runs[len(runs)-1]
	gap := at.Sub(last.Last)
	switch {
	case gap <= 0:
		return runs
	case gap > join:
		return append(runs, alertRun{First: at, Last: at, Samples: 1})
	}
	last.Last = at
	last.Samples++
	last.Widest = max(last.Widest, secondsOf(gap))
	return runs
}

// activations takes in ALERTS_FOR_STATE: its values are when conditions began.
func (h *history) activations(answer []prometheus.Series) {
	since := map[string][]time.Time{}
	for _, series := range answer {
		labels, _ := split(series.Labels)
		var times []time.Time
		for _, sample := range series.Samples {
			if !(sample.Value > 0 && sample.Value < 1e11) {
				continue
			}
			at := time.UnixMilli(int64(sample.Value * 1000)).UTC()
			if len(times) == 0 || !times[len(times)-1].Equal(at) {
				times = append(times, at)
			}
		}
		since[keyOf(labels)] = append(since[keyOf(labels)], times...)
	}
	for _, known := range h.series {
		if times := since[keyOf(known.labels)]; len(times) > 0 {
			known.since = merged(known.since, times)
		}
	}
}

func merged(a, b []time.Time) []time.Time {
	all := slices.SortedFunc(slices.Values(slices.Concat(a, b)), time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// list gives the series of these keys, or all, in a stable order.
func (h *history) list(keys []string) []alertSeries {
	if keys == nil {
		keys = slices.Sorted(maps.Keys(h.series))
	}
	series := []alertSeries{}
	for _, key := range keys {
		known := h.series[key]
		series = append(series, alertSeries{
			Labels: known.labels, State: known.state,
			Runs: slices.Clone(known.runs), Since: slices.Clone(known.since),
		})
	}
	return series
}

const (
	labelName    = "alertname"
	labelState   = "alertstate"
	stateFiring  = "firing"
	statePending = "pending"
)

// split takes a series' own labels from those that ALERTS adds.
func split(all map[string]string) (labels map[string]string, state string) {
	labels = maps.Clone(all)
	delete(labels, "__name__")
	delete(labels, labelState)
	return labels, all[labelState]
}

// keyOf identifies an alert by all of its labels.
func keyOf(labels map[string]string) string {
	var key strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		key.WriteString(name)
		key.WriteByte(0)
		key.WriteString(labels[name])
		key.WriteByte(0)
	}
	return key.String()
}
