package alerts

import (
	"slices"
	"testing"
	"time"

	"gameday.dev/gameday/internal/prometheus"
)

func TestMetricsOf(t *testing.T) {
	for _, test := range []struct {
		query string
		want  []string
	}{
		{`vector(1)`, nil},
		{`(count(up{namespace="shop",app="web"} == 1) or vector(0)) < 3`, []string{"up"}},
		{`absent(up{app="web"} == 1)`, nil},
		{`rate(shop_failures_total{a="b"}[1m]) > 0`, []string{"shop_failures_total"}},
		{`sum by (pod, ns) (rate(x_total[5m])) / on (pod) group_left (node) y offset 5m > bool 1e3`, []string{"x_total", "y"}},
		{`sum(a) without (b) unless job:c:rate5m`, []string{"a", "job:c:rate5m"}},
		{`a{b=~"c}\"d"} # comment and more` + "\n and z", []string{"a", "z"}},
		{`"`, nil},
		{`up{`, []string{"up"}},
		{`rate(`, nil},
	} {
		if got := metricsOf(test.query); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.query, got, test.want)
		}
	}
}

func FuzzMetricsOf(f *testing.F) {
	f.Add(`sum by (pod) (rate(x{a="b"}[5m])) > 1`)
	f.Add("a{b=\"\\")
	f.Fuzz(func(_ *testing.T, query string) { metricsOf(query) }) // must end
}

func TestParseMatchers(t *testing.T) {
	labels := map[string]string{"severity": "page", "team": "a,b", "templated": "{{ $value }}"}
	for _, test := range []struct {
		text string
		want answer
	}{
		{`severity="page"`, yes},
		{`severity = page`, yes},
		{`severity!="page"`, no},
		{`severity=~"pa.*|x"`, yes},
		{`severity=~"pa"`, no},
		{`severity!~"pa.*"`, no},
		{`{severity="page",team="a,b"}`, yes},
		{`{severity="page",team="b"}`, no},
		{`namespace="shop"`, maybe},
		{`templated="x"`, maybe},
		{`"severity"="page"`, yes},
		{`nonsense`, maybe},
		{`severity=~"("`, maybe},
		{``, yes},
	} {
		all := yes
		for _, one := range parseMatchers(test.text) {
			all = min(all, one.matches(labels))
		}
		if all != test.want {
			t.Errorf("%s: got %d, want %d", test.text, all, test.want)
		}
	}
}

func FuzzParseMatchers(f *testing.F) {
	f.Add(`{a="b",c=~"d"}`)
	f.Add(`a="\`)
	f.Fuzz(func(_ *testing.T, text string) {
		for _, one := range parseMatchers(text) {
			one.matches(map[string]string{"a": "b"})
		}
	})
}

func TestSilences(t *testing.T) {
	different := false
	silence := prometheus.Silence{Matchers: []prometheus.SilenceMatcher{
		{Name: "alertname", Value: "Shop.*", IsRegex: true},
		{Name: "severity", Value: "none", IsEqual: &different},
	}}
	for want, labels := range map[answer]map[string]string{
		yes:   {"alertname": "ShopDown", "severity": "page"},
		no:    {"alertname": "ShopDown", "severity": "none"},
		maybe: {"alertname": "ShopDown"},
	} {
		if got := silences(silence, labels); got != want {
			t.Errorf("%v: got %d, want %d", labels, got, want)
		}
	}
}

func TestRoutes(t *testing.T) {
	config, err := readRoutes(`
route:
  receiver: team
  group_wait: 10s
  routes:
    - {matchers: ['severity="none"'], receiver: "null"}
    - {match: {severity: page}, receiver: pager, group_wait: 0s, continue: true}
    - {matchers: 'namespace="shop"', receiver: shop, mute_time_intervals: [nights]}
receivers:
  - {name: "null"}
  - {name: empty, webhook_configs: []}
  - {name: team, slack_configs: [{channel: x}]}
  - {name: pager, pagerduty_configs: [{}], email_configs: [{}]}
  - {name: shop, webhook_configs: [{}]}
`)
	if err != nil {
		t.Fatal(err)
	}
	if got := config.integrations["pager"]; !slices.Equal(got, []string{"email", "pagerduty"}) {
		t.Errorf("pager has %q", got)
	}
	if len(config.integrations["null"])+len(config.integrations["empty"]) != 0 {
		t.Error("null receivers have integrations")
	}
	minutes5 := 5 * time.Minute
	for _, test := range []struct {
		name   string
		labels map[string]string
		want   []leg
	}{
		{"null", map[string]string{"severity": "none"}, []leg{{"null", 10 * time.Second, minutes5, false, true}}},
		{"default", map[string]string{"severity": "info", "namespace": "x"}, []leg{{"team", 10 * time.Second, minutes5, false, true}}},
		{"continue", map[string]string{"severity": "page", "namespace": "shop"}, []leg{{"pager", 0, minutes5, false, true}, {"shop", 10 * time.Second, minutes5, true, true}}},
		{"unknown", map[string]string{"severity": "info"}, []leg{{"shop", 10 * time.Second, minutes5, true, false}, {"team", 10 * time.Second, minutes5, false, false}}},
	} {
		if got := config.find(test.labels); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
	for _, text := range []string{"", "route: [", "a: b"} {
		if _, err := readRoutes(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestWait(t *testing.T) {
	for _, test := range []struct {
		hold, interval time.Duration
		total          string
		words          string
	}{
		{15 * time.Minute, time.Second, "15m2s", "scrape 1s + evaluation 1s + for 15m"},
		{0, 30 * time.Second, "31s", "scrape 1s + evaluation 30s"},
		{40 * time.Second, 30 * time.Second, "1m31s", "scrape 1s + evaluation 30s + for 1m (40s rounded up to evaluations)"},
	} {
		w := newWait(alertRule{For: secondsOf(test.hold), Interval: secondsOf(test.interval)}, time.Second, 0)
		if exact(w.total()) != test.total || w.String() != test.words {
			t.Errorf("got %s: %s, want %s: %s", exact(w.total()), w, test.total, test.words)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"ShopPodDown", "ShopDown", "Watchdog", "KubePodCrashLooping"}
	for wanted, want := range map[string]string{"ShopPodDwn": "ShopPodDown", "watchdog": "Watchdog", "Nothing": ""} {
		got := ""
		if near := nearest(wanted, names); len(near) > 0 {
			got = near[0]
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", wanted, got, want)
		}
	}
}

func TestHistory(t *testing.T) {
	at := func(seconds ...int) (samples []prometheus.Sample) {
		for _, s := range seconds {
			samples = append(samples, prometheus.Sample{Time: time.Unix(int64(s), 0), Value: 1})
		}
		return samples
	}
	series := func(samples []prometheus.Sample) []prometheus.Series {
		return []prometheus.Series{{Labels: map[string]string{"__name__": "ALERTS", "alertname": "A", "alertstate": "firing"}, Samples: samples}}
	}
	h := newHistory(func(string) time.Duration { return time.Second })
	h.add(series(at(1, 2, 3)))
	if moved := h.add(series(at(2, 3, 4, 6))); len(moved) != 0 {
		t.Errorf("samples known already moved %q", moved)
	}
	if moved := h.add(series(at(20))); len(moved) != 1 {
		t.Errorf("a new run moved %q", moved)
	}
	want := []alertRun{
		{First: time.Unix(1, 0), Last: time.Unix(6, 0), Samples: 5, Widest: 2},
		{First: time.Unix(20, 0), Last: time.Unix(20, 0), Samples: 1},
	}
	if got := h.list(nil)[0].Runs; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
