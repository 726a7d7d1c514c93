package prometheus

import (
	"encoding/pem"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func encodePEM(certificate []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
}

func TestDecodeQuery(t *testing.T) {
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	for name, test := range map[string]struct {
		body string
		want Result
	}{
		"vector": {
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1.25,"3"]}]},"infos":["harmless"]}`,
			Result{Series: []Series{{Labels: map[string]string{"a": "b"}, Samples: []Sample{{at(1250), 3}}}}},
		},
		"matrix, partial as Thanos says it": {
			`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"+Inf"]]}]},"warnings":["no store\nmatched"]}`,
			Result{Series: []Series{{Labels: map[string]string{}, Samples: []Sample{{at(1000), 1}, {at(2000), inf()}}}}, Partial: []string{"no store matched"}},
		},
		"nothing, partial as VictoriaMetrics says it": {
			`{"status":"success","isPartial":true,"data":{"resultType":"matrix","result":[]}}`,
			Result{Partial: []string{"the server calls its answer partial"}},
		},
	} {
		got, err := decodeQuery([]byte(test.body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestDecodeRules(t *testing.T) {
	rules, next, _, err := decodeRules([]byte(`{"status":"success","data":{"groupNextToken":"t","groups":[{"name":"g","file":"f","interval":30,"rules":[
		{"type":"recording","name":"r"},
		{"type":"alerting","name":"A","query":"up == 0","duration":90,"keepFiringFor":5,"labels":{"severity":"page"},"health":"err","lastError":"bad","lastEvaluation":"2026-01-02T03:04:05Z"}]}]}}`))
	if err != nil || next != "t" {
		t.Fatal(next, err)
	}
	want := []Rule{{
		Name: "A", Group: "g", File: "f", Query: "up == 0", Labels: map[string]string{"severity": "page"},
		For: 90 * time.Second, KeepFiringFor: 5 * time.Second, Interval: 30 * time.Second,
		Health: "err", LastError: "bad", LastEvaluation: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Error(diff)
	}
	if _, _, _, err := decodeRules([]byte(`{"status":"success","data":{}}`)); err == nil {
		t.Error("an answer without groups was taken for one without rules")
	}
}

func TestDecodeIntervals(t *testing.T) {
	got, err := decodeIntervals([]byte(`{"status":"success","data":{"yaml":"global:\n  scrape_interval: 30s\n  evaluation_interval: 1m\n  rule_query_offset: 5s\nscrape_configs:\n- job_name: a\n  scrape_interval: 10s\n- job_name: b\n  scrape_interval: 1m\n"}}`))
	want := Intervals{Scrape: 10 * time.Second, Evaluation: time.Minute, RuleQueryOffset: 5 * time.Second}
	if err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestDecodeNotifications(t *testing.T) {
	body := `# TYPE alertmanager_notifications_total counter
alertmanager_notifications_total{integration="webhook",receiver_name="shop"} 5
alertmanager_notifications_total{integration="email",receiver_name="shop"} 0
# TYPE alertmanager_notifications_failed_total counter
alertmanager_notifications_failed_total{integration="webhook",receiver_name="shop",reason="serverError"} 1
alertmanager_notifications_failed_total{integration="webhook",receiver_name="shop",reason="other"} 1
`
	got, err := decodeNotifications([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := []Count{{"webhook", "shop", 5, 2}, {"email", "shop", 0, 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "up 1\n", "<html>", "alertmanager_notifications_total{"} {
		if _, err := decodeNotifications([]byte(bad)); err == nil {
			t.Errorf("%q was taken for metrics", bad)
		}
	}
}

func TestDecodeDeliveries(t *testing.T) {
	for _, stamp := range []string{"at", "receivedAt"} {
		got, err := decodeDeliveries([]byte(`[{"` + stamp + `":"2026-01-02T03:04:05Z","notification":{"receiver":"w","alerts":[{"status":"firing","labels":{"alertname":"A"},"startsAt":"2026-01-02T03:04:04Z"}]}}]`))
		if err != nil || len(got) != 1 || got[0].Labels["alertname"] != "A" || got[0].At.Second() != 5 {
			t.Errorf("%s: got %v, %v", stamp, got, err)
		}
	}
	for _, bad := range []string{`null`, `{}`, `[{}]`, `[{"at":"2026-01-02T03:04:05Z"}]`} {
		if _, err := decodeDeliveries([]byte(bad)); err == nil {
			t.Errorf("%s was taken for deliveries", bad)
		}
	}
}

func inf() float64 { return math.Inf(1) }

// The fuzzers want no crash, and no answer together with an error.

func FuzzDecodeQuery(f *testing.F) {
	f.Add([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"1"],[2,"NaN"]]}]}}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"scalar","result":[1e300,"1"]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		result, err := decodeQuery(body)
		if err != nil && len(result.Series) > 0 {
			t.Error("an error with an answer")
		}
		for _, series := range result.Series {
			for i, sample := range series.Samples {
				if i > 0 && !sample.Time.After(series.Samples[i-1].Time) {
					t.Error("samples out of order")
				}
			}
		}
	})
}

func FuzzDecodeRules(f *testing.F) {
	f.Add([]byte(`{"status":"success","data":{"groups":[{"interval":-1e300,"rules":[{"type":"alerting","duration":1e300}]}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		rules, _, _, err := decodeRules(body)
		if err != nil && len(rules) > 0 {
			t.Error("an error with an answer")
		}
		for _, rule := range rules {
			if rule.For < 0 || rule.Interval < 0 {
				t.Error("a negative duration")
			}
		}
	})
}

func FuzzDecodeAlertmanager(f *testing.F) {
	f.Add([]byte(`[{"labels":{"alertname":"A"},"status":{"state":"active"},"receivers":[{"name":"x"}]}]`))
	f.Add([]byte(`[{"at":"2026-01-02T03:04:05Z","notification":{}}]`))
	f.Add([]byte("alertmanager_notifications_total{integration=\"x\"} 1\n"))
	f.Fuzz(func(_ *testing.T, body []byte) {
		_, _ = decodeHeld(body)
		_, _ = decodeDeliveries(body)
		_, _ = decodeNotifications(body)
		_, _ = decodeRuntime(body)
		_, _ = decodeIntervals(body)
	})
}
