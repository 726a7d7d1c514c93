package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// figure is one measured number beside its target.
type figure struct {
	Subject string `json:"subject"`
	Name    string `json:"name"`
	Unit    string `json:"unit,omitempty"` // empty for a ratio
	// Statistic is what Value is of the samples: median, p99 or total.
	Statistic string    `json:"statistic"`
	Value     float64   `json:"value"`
	Samples   []float64 `json:"samples"`
	// Target is the most, or with AtLeast the least, that Value may be; nil for
	// a figure that is only given for information.
	Target  *float64 `json:"target,omitempty"`
	AtLeast bool     `json:"atLeast,omitempty"`
	Missed  bool     `json:"missed"`
	// Notes say what stands behind the number.
	Notes []string `json:"notes,omitempty"`
}

// median is a figure that is met when the median is at most target.
func median(name, unit string, target float64, samples []float64, notes ...string) figure {
	value := quantile(samples, 0.5)
	return figure{
		Name: name, Unit: unit, Statistic: "median", Value: value, Samples: samples,
		Target: &target, Missed: value > target, Notes: notes,
	}
}

// informative takes the target away: the number is given, nothing is promised.
func (f figure) informative() figure {
	f.Target, f.Missed = nil, false
	return f
}

// quantile is the smallest sample that a share q of all samples doesn't exceed.
func quantile(samples []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(samples))
	if len(sorted) == 0 {
		return 0
	}
	if q == 0.5 && len(sorted)%2 == 0 {
		return (sorted[len(sorted)/2-1] + sorted[len(sorted)/2]) / 2
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func (f figure) verdict() string {
	switch {
	case f.Target == nil:
		return ""
	case f.Missed:
		return "MISSED"
	default:
		return "ok"
	}
}

func (f figure) target() string {
	switch {
	case f.Target == nil:
		return "-"
	case f.AtLeast:
		return "at least " + f.number(*f.Target)
	default:
		return "at most " + f.number(*f.Target)
	}
}

func (f figure) number(value float64) string {
	text := fmt.Sprintf("%.0f", value)
	if value < 10 && value != float64(int(value)) {
		text = fmt.Sprintf("%.2f", value)
	}
	return strings.TrimSpace(text + " " + f.Unit)
}

func (f figure) spread() string {
	if len(f.Samples) < 2 {
		return "1 sample"
	}
	return fmt.Sprintf("%s to %s, %d samples", f.number(slices.Min(f.Samples)), f.number(slices.Max(f.Samples)), len(f.Samples))
}

// results is all that one call of bench has measured, and on what.
type results struct {
	Figures    []figure `json:"figures"`
	Processors int      `json:"processors"`
	// Load is the load average of the machine when each subject's turn came: what
	// else it was doing.
	Load map[string]string `json:"load"`
}

func (r *results) add(subject, load string, figures []figure) {
	if r.Load == nil {
		r.Processors, r.Load = runtime.NumCPU(), map[string]string{}
	}
	r.Load[subject] = load
	for _, f := range figures {
		f.Subject = subject
		r.Figures = append(r.Figures, f)
	}
}

func (r *results) print(w io.Writer) {
	if len(r.Figures) == 0 {
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FIGURE\tMEASURED\tRANGE\tTARGET\t")
	for _, f := range r.Figures {
		fmt.Fprintf(table, "%s: %s\t%s (%s)\t%s\t%s\t%s\n", f.Subject, f.Name, f.number(f.Value), f.Statistic, f.spread(), f.target(), f.verdict())
	}
	_ = table.Flush() // a broken standard output has no better place to be reported
	last := ""
	for _, f := range r.Figures {
		if f.Subject != last {
			fmt.Fprintf(w, "\n%s (%d processors, load average before: %s)\n", f.Subject, r.Processors, r.Load[f.Subject])
			last = f.Subject
		}
		for _, note := range f.Notes {
			fmt.Fprintf(w, "  %s\n", note)
		}
	}
}

func (r *results) write(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing figures: %w", err)
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// loadAverage says how busy the machine is, where it says so.
func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(data))[:3], " ")
}
