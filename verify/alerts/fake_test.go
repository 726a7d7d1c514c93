package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/verify"
)

// fake is a Prometheus with two rules, evaluated each second. Watchdog fires
// always, Down between two moments.
type fake struct {
	mu         sync.Mutex
	born       time.Time
	from, to   time.Time // of Down
	handle     http.HandlerFunc
	rulesExtra string
}

func (f *fake) set(change func(*fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.handle != nil {
		f.handle(w, r)
		return
	}
	success := func(data string) { _, _ = fmt.Fprintf(w, `{"status":"success","data":%s}`, data) }
	switch {
	case strings.HasSuffix(r.URL.Path, "/rules"):
		success(fmt.Sprintf(`{"groups":[{"name":"g","interval":1,"rules":[
			{"type":"alerting","name":"Down","query":"up == 0","labels":{"severity":"page"},"health":"ok","lastEvaluation":%q},
			{"type":"alerting","name":"Slow","query":"up == 0","duration":900,"health":"ok","lastEvaluation":%q},
			{"type":"alerting","name":"Watchdog","query":"vector(1)","health":"ok","lastEvaluation":%q}%s]}]}`, stamp(), stamp(), stamp(), f.rulesExtra))
	case strings.HasSuffix(r.URL.Path, "/runtimeinfo"):
		success(fmt.Sprintf(`{"startTime":%q,"reloadConfigSuccess":true}`, f.born.UTC().Format(time.RFC3339Nano)))
	case strings.HasSuffix(r.URL.Path, "/config"):
		success(`{"yaml":"global: {scrape_interval: 1s, evaluation_interval: 1s}"}`)
	default:
		f.query(success, r.URL.Query().Get("query"), r.URL.Query().Get("time"))
	}
}

func stamp() string { return time.Now().UTC().Format(time.RFC3339Nano) }

func (f *fake) query(success func(string), query, at string) {
	now := float64(time.Now().UnixMilli()) / 1000
	var window int
	switch {
	case query == "time()":
		success(fmt.Sprintf(`{"resultType":"scalar","result":[%.3f,"%.3f"]}`, now, now))
	case strings.HasPrefix(query, "ALERTS["):
		_, _ = fmt.Sscanf(query, "ALERTS[%ds]", &window)
		var end float64
		_, _ = fmt.Sscanf(at, "%f", &end)
		success(fmt.Sprintf(`{"resultType":"matrix","result":[%s]}`, strings.Join(append(
			f.series("Watchdog", end, window, f.born, time.Now()),
			f.series("Down", end, window, f.from, f.to)...), ",")))
	case strings.HasPrefix(query, "count("):
		success(`{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}`)
	default:
		success(`{"resultType":"matrix","result":[]}`)
	}
}

func (f *fake) series(alert string, end float64, window int, from, to time.Time) []string {
	var samples []string
	for s := int64(end) - int64(window) + 1; s <= int64(end); s++ {
		if at := time.Unix(s, 0); !at.Before(from) && at.Before(to) {
			samples = append(samples, fmt.Sprintf(`[%d,"1"]`, s))
		}
	}
	if len(samples) == 0 {
		return nil
	}
	return []string{fmt.Sprintf(`{"metric":{"__name__":"ALERTS","alertname":%q,"alertstate":"firing","severity":"page"},"values":[%s]}`, alert, strings.Join(samples, ","))}
}

func seconds(n int) metav1.Duration { return metav1.Duration{Duration: time.Duration(n) * time.Second} }

// TestObserve runs a whole check against the fake: quiet, firing, resolved.
func TestObserve(t *testing.T) {
	f := &fake{born: time.Now().Add(-time.Hour)}
	server := httptest.NewServer(f)
	defer server.Close()
	resolves := seconds(20)
	c := check{name: "pager", every: 200 * time.Millisecond, spec: Spec{
		Expect: []Expectation{{Alert: "Down", Step: "kill", Within: seconds(5), ResolvesWithin: &resolves}},
		Forbid: []Prohibition{{Except: []Exception{{Alert: "Watchdog", Reason: "always fires"}}}},
	}}
	writer, err := journal.Create(filepath.Join(t.TempDir(), "run"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }()
	started, ended := make(chan struct{}), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		ended <- c.Observe(ctx, verify.Env{
			Record: writer.ForCheck("pager"), Started: func() { close(started) }, Grace: 5 * time.Second,
			Prometheus: &verify.Endpoint{URL: server.URL + "/prefix"},
		})
	}()
	<-started
	if got := c.Baseline(writer.Record()); got.Verdict != verify.Pass {
		t.Errorf("baseline %s: %s", got.Verdict, got.Summary)
	}
	record := func(step, kind string) {
		if err := writer.Append(step, "", kind, struct{}{}); err != nil {
			t.Error(err)
		}
	}
	record("", journal.RunStarted)
	record("kill", journal.StepInjecting)
	f.set(func(f *fake) {
		f.from = time.Now().Add(time.Second)
		f.to = f.from.Add(2 * time.Second)
	})
	record("", journal.RunSettling)
	finding := c.Judge(writer.Record())
	if !finding.Open || finding.Verdict == verify.Pass {
		t.Errorf("before it fired: open %t, %s: %s", finding.Open, finding.Verdict, finding.Summary)
	}
	for deadline := time.Now().Add(15 * time.Second); finding.Open && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		finding = c.Judge(writer.Record())
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	record("", journal.RunFinished)
	finding = c.Judge(writer.Record())
	if finding.Verdict != verify.Pass || !strings.HasSuffix(finding.Summary, "; nothing else fired") {
		t.Errorf("%s: %s\n%q", finding.Verdict, finding.Summary, finding.Details)
	}
}

// TestObserveLiars: whatever a server answers, it is never a pass.
func TestObserveLiars(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"500":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"html":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>login</html>")) },
		"empty": func(http.ResponseWriter, *http.Request) {},
		"yes to everything": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[]}}`))
		},
		"samples of tomorrow": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"matrix","groups":[],"startTime":"2020-01-01T00:00:00Z","result":[{"metric":{"__name__":"ALERTS","alertname":"A","alertstate":"firing"},"values":[[9999999999,"1"]]}]}}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(serve)
			defer server.Close()
			writer, err := journal.Create(filepath.Join(t.TempDir(), "run"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = writer.Close() }()
			c := New("pager", Spec{Expect: []Expectation{{Alert: "Down", Step: "kill", Within: seconds(5)}}})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			err = c.Observe(ctx, verify.Env{
				Record: writer.ForCheck("pager"), Started: func() { t.Error("it claims to see the world") },
				Prometheus: &verify.Endpoint{URL: server.URL},
			})
			if err == nil || strings.Contains(err.Error(), "deadline") {
				t.Errorf("got %v", err)
			}
			for _, finding := range []verify.Finding{c.Baseline(writer.Record()), c.Judge(writer.Record())} {
				if finding.Verdict != verify.Inconclusive {
					t.Errorf("%s: %s", finding.Verdict, finding.Summary)
				}
			}
		})
	}
}

// TestPreflight: what cannot pass is refused before anything is broken.
func TestPreflight(t *testing.T) {
	f := &fake{born: time.Now().Add(-time.Hour), rulesExtra: `,{"type":"alerting","name":"Sick","query":"a","health":"err","lastError":"no such function"}`}
	prometheus := httptest.NewServer(f)
	defer prometheus.Close()
	alertmanager := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "silences") {
			_, _ = w.Write([]byte(`[{"id":"s1","createdBy":"ann","comment":"maintenance","endsAt":"2030-01-02T03:04:00Z","matchers":[{"name":"alertname","value":"Slow"}],"status":{"state":"active"}}]`))
			return
		}
		config, _ := json.Marshal("route: {receiver: hook, group_wait: 30s, routes: [{matchers: ['alertname=~\"Null.*\"'], receiver: nobody}]}\nreceivers: [{name: nobody}, {name: hook, webhook_configs: [{}]}]")
		_, _ = fmt.Fprintf(w, `{"config":{"original":%s}}`, config)
	}))
	defer alertmanager.Close()
	f.rulesExtra += `,{"type":"alerting","name":"NullRouted","query":"a","health":"ok"}`
	want := func(alert string, within int, proof string, labels map[string]string) []Expectation {
		return []Expectation{{Alert: alert, Labels: labels, Step: "kill", Within: seconds(within), Proof: proof}}
	}
	for name, test := range map[string]struct {
		expect  []Expectation
		refused string // empty: not refused
		note    string
	}{
		"in time":        {want("Down", 10, "", nil), "", "Down can fire in 2s: scrape 1s + evaluation 1s"},
		"no such rule":   {want("Dwn", 10, "", nil), "no alerting rule Dwn; there is Down", ""},
		"other label":    {want("Down", 10, "", map[string]string{"severity": "info"}), `never carry severity="info"`, ""},
		"too slow":       {want("Slow", 120, "", nil), "Slow needs at least 15m2s: scrape 1s + evaluation 1s + for 15m; within is 2m", ""},
		"unhealthy":      {want("Sick", 10, "", nil), "no such function", ""},
		"waits in group": {want("Down", 10, ProofNotified, nil), "group_wait 30s", ""},
		"silenced":       {want("Slow", 1000, ProofRouted, nil), "silenced until 2030-01-02 03:04 UTC by ann", ""},
		"null receiver":  {want("NullRouted", 60, ProofRouted, nil), "notify nobody", ""},
		"no receiver":    {want("Down", 60, ProofDelivered, nil), "names none", ""},
	} {
		notes, err := New("pager", Spec{Expect: test.expect}).(verify.Preflight).Preflight(t.Context(), verify.Env{
			Prometheus: &verify.Endpoint{URL: prometheus.URL}, Alertmanager: &verify.Endpoint{URL: alertmanager.URL},
		})
		refused, is := refusal.As(err)
		switch {
		case test.refused == "" && err != nil:
			t.Errorf("%s: refused: %v", name, err)
		case test.refused != "" && (!is || !strings.Contains(refused.Reason, test.refused) || refused.Hint == ""):
			t.Errorf("%s: got %v", name, err)
		case !strings.Contains(strings.Join(notes, "\n"), test.note):
			t.Errorf("%s: notes %q", name, notes)
		}
	}
}
