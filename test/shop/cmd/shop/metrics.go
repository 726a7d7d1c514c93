package main

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
)

// metrics writes the Prometheus text format by hand: a handful of families is no reason for a dependency.
type metrics struct {
	families []family
}

type family struct {
	name, help, kind string
	collect          func(emit emitter)
}

// emitter writes one sample; labels is what stands between the braces, or nothing.
type emitter func(labels string, value float64)

const (
	counter = "counter"
	gauge   = "gauge"
)

// add is for the time before serving; families are never removed.
func (m *metrics) add(name, help, kind string, collect func(emit emitter)) {
	m.families = append(m.families, family{name, help, kind, collect})
}

func (m *metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	for _, f := range m.families {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
		f.collect(func(labels string, value float64) {
			if labels != "" {
				labels = "{" + labels + "}"
			}
			fmt.Fprintf(&b, "%s%s %v\n", f.name, labels, value)
		})
	}
	// Prometheus 3 refuses a target that does not say what it sends.
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // an error here is the scraper's, which went away
}

func constant(labels string, value float64) func(emitter) {
	return func(emit emitter) { emit(labels, value) }
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func buildLabels(role string) string {
	version, revision := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return fmt.Sprintf("role=%q,version=%q,revision=%q,goversion=%q", role, version, revision, runtime.Version())
}
