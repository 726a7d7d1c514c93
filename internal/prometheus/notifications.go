package prometheus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Count is how many notifications an integration attempted, and how many of
// these failed after all retries, since the process began.
type Count struct {
	Integration string // webhook, pagerduty, …
	// Receiver is empty unless Alertmanager runs with receiver-name-in-metrics.
	Receiver string
	Total    float64
	Failed   float64
}

// Notifications reads the counters from Alertmanager's own metrics.
func (a *Alertmanager) Notifications(ctx context.Context) ([]Count, error) {
	body, err := a.endpoint.get(ctx, "metrics", nil, mediaText)
	if err != nil {
		return nil, err
	}
	counts, err := decodeNotifications(body)
	if err != nil {
		return nil, fmt.Errorf("asking %s for its metrics: %w", a, err)
	}
	return counts, nil
}

// decodeNotifications reads two counters out of the text format and passes
// over everything else. It does not use the usual parser: that one panics on
// some input, and what comes here is not ours.
func decodeNotifications(body []byte) ([]Count, error) {
	type key struct{ integration, receiver string }
	var counts []Count
	index := map[key]int{}
	failed := map[key]float64{}
	for line := range strings.Lines(string(body)) {
		line = strings.TrimSpace(line)
		name, rest, labelled := strings.Cut(line, "{")
		if !labelled || name != "alertmanager_notifications_total" && name != "alertmanager_notifications_failed_total" {
			continue
		}
		labels, value, err := parseSample(rest)
		if err != nil {
			return nil, fmt.Errorf("reading metric %s: %w", name, err)
		}
		of := key{labels["integration"], labels["receiver_name"]}
		if name == "alertmanager_notifications_failed_total" {
			failed[of] += value // one for each reason
			continue
		}
		if _, twice := index[of]; twice {
			return nil, fmt.Errorf("reading metric %s: integration %q is there twice", name, clip(of.integration, 40))
		}
		index[of] = len(counts)
		counts = append(counts, Count{Integration: of.integration, Receiver: of.receiver, Total: value})
	}
	if len(counts) == 0 {
		return nil, errors.New("there is no alertmanager_notifications_total: is this really Alertmanager's /metrics?")
	}
	for of, lost := range failed {
		if i, ok := index[of]; ok {
			counts[i].Failed = lost
		}
	}
	return counts, nil
}

// parseSample reads `a="b",c="d"} 5`, perhaps with a timestamp behind it.
func parseSample(rest string) (map[string]string, float64, error) {
	labels := map[string]string{}
	for {
		rest = strings.TrimLeft(rest, ", ")
		if after, closed := strings.CutPrefix(rest, "}"); closed {
			rest = after
			break
		}
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			return nil, 0, errors.New("its labels do not end")
		}
		value, err := strconv.QuotedPrefix(after)
		if err != nil || !strings.HasPrefix(value, `"`) {
			return nil, 0, errors.New("a label is not quoted")
		}
		rest = after[len(value):]
		if labels[name], err = strconv.Unquote(value); err != nil {
			return nil, 0, errors.New("a label is not quoted")
		}
	}
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return nil, 0, errors.New("it has no value")
	}
	value, err := strconv.ParseFloat(fields[0], 64)
	if err != nil || !(value >= 0) {
		return nil, 0, errors.New("its value is not a count")
	}
	return labels, value, nil
}
