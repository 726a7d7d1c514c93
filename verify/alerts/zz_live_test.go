package alerts

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

func start(t *testing.T, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	f, _ := os.Create(filepath.Join("/tmp/lab/alerts-live-" + filepath.Base(name) + ".log"))
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

func TestLive(t *testing.T) {
	dir := t.TempDir()
	var broken atomic.Bool
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			w.WriteHeader(500)
			return
		}
		fmt.Fprintln(w, "toy 1")
	}))
	os.WriteFile(dir+"/rules.yaml", []byte(`
groups:
  - name: toy
    interval: 1s
    rules:
      - {alert: ToyDown, expr: 'up{job="toy"} == 0', keep_firing_for: 3s, labels: {severity: page, namespace: shop}}
      - {alert: ToySlow, expr: 'up{job="toy"} == 0', for: 15m, labels: {severity: page}}
      - {alert: ToySilent, expr: 'up{job="toy"} == 0', labels: {severity: none}}
      - {alert: ToyBad, expr: 'up{job="toy"} == 0', for: 2s, labels: {severity: critical}}
      - {alert: ToyMissing, expr: 'rate(toy_failures_total[1m]) > 0', labels: {severity: warning}}
      - {alert: Watchdog, expr: vector(1), labels: {severity: none}}
`), 0o644)
	os.WriteFile(dir+"/prometheus.yaml", []byte(fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [%s/rules.yaml]
alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:19393"]}]}]}
scrape_configs: [{job_name: toy, static_configs: [{targets: ["%s"]}]}]
`, dir, l.Addr())), 0o644)
	os.WriteFile(dir+"/am.yaml", []byte(`
route: {receiver: webhook, group_by: [alertname], group_wait: 1s, group_interval: 2s, routes: [{matchers: ['severity="none"'], receiver: "null"}]}
receivers: [{name: "null"}, {name: webhook, webhook_configs: [{url: "http://127.0.0.1:19395/"}]}]
`), 0o644)
	start(t, "/tmp/lab/bin/alertmanager", "--config.file="+dir+"/am.yaml", "--storage.path="+dir+"/am", "--web.listen-address=127.0.0.1:19393", "--cluster.listen-address=")
	start(t, "/tmp/lab/alerts-webhook", "-listen", "127.0.0.1:19395", "-out", dir+"/n.jsonl")
	prom := func() *exec.Cmd {
		return start(t, "/tmp/lab/bin/prometheus", "--config.file="+dir+"/prometheus.yaml", "--storage.tsdb.path="+dir+"/tsdb", "--web.listen-address=127.0.0.1:19394", "--web.enable-lifecycle")
	}
	process := prom()
	time.Sleep(8 * time.Second)

	minutes := func(d time.Duration) metav1.Duration { return metav1.Duration{Duration: d} }
	r := minutes(30 * time.Second)
	want := func(alert, proof string) Spec {
		return Spec{Expect: []Expectation{{Alert: alert, Step: "kill-one", Within: minutes(12 * time.Second), ResolvesWithin: &r, Proof: proof}}}
	}
	forbid := []Prohibition{{Labels: map[string]string{"severity": "critical"}}}
	specs := map[string]Spec{
		"firing": want("ToyDown", "firing"), "routed": want("ToyDown", "routed"), "notified": want("ToyDown", "notified"),
		"delivered": want("ToyDown", "delivered"), "null": want("ToySilent", "delivered"), "missing": want("ToyMissing", ""),
		"slow": want("ToySlow", ""), "wrong": want("ToyDwn", ""),
		"forbid": {Expect: want("ToyDown", "").Expect, Forbid: forbid},
		"clean":  {Expect: want("ToyDown", "").Expect, Forbid: []Prohibition{{Except: []Exception{{Alert: "ToyBad", Reason: "known"}, {Alert: "ToySilent", Reason: "known"}}}}},
	}
	out := os.Getenv("LIVE_OUT")
	if out == "" {
		out = t.TempDir()
	}
	os.RemoveAll(out)
	w, err := journal.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	w.Append("", "", journal.RunStarted, journal.RunInfo{ID: "live"})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 100)
	started := make(chan string, 100)
	for name, spec := range specs {
		env := verify.Env{
			Record: w.ForCheck(name), Started: func() { started <- name }, Grace: 15 * time.Second,
			Prometheus:   &verify.Endpoint{URL: "http://127.0.0.1:19394"},
			Alertmanager: &verify.Endpoint{URL: "http://127.0.0.1:19393"},
			Receiver:     &verify.Endpoint{URL: "http://127.0.0.1:19395/received"},
		}
		notes, err := New(name, spec).(verify.Preflight).Preflight(ctx, env)
		t.Logf("PREFLIGHT %s: %q err %v", name, notes, err)
		go func() { done <- New(name, spec).Observe(ctx, env) }()
	}
	for range specs {
		<-started
	}
	for name, spec := range specs {
		f := New(name, spec).Baseline(w.Record())
		t.Logf("BASELINE %s: %s %s\n  details %q\n hints %q", name, f.Verdict, f.Summary, f.Details, f.Hints)
	}
	w.Append("kill-one", "", journal.StepPlanned, journal.Planned{Experiment: "podKill"})
	w.Append("kill-one", "", journal.StepInjecting, nil)
	broken.Store(true)
	w.Append("kill-one", "", journal.StepInjected, journal.Outcome{})
	time.Sleep(6 * time.Second)
	if os.Getenv("LIVE_RESTART") != "" {
		process.Process.Kill()
		process.Wait()
		time.Sleep(6 * time.Second)
		prom()
		time.Sleep(6 * time.Second)
	}
	if os.Getenv("LIVE_FREEZE") != "" {
		process.Process.Signal(syscall.SIGSTOP)
		time.Sleep(20 * time.Second)
		process.Process.Signal(syscall.SIGCONT)
	}
	broken.Store(false)
	w.Append("kill-one", "", journal.StepUndone, journal.Undone{OK: true})
	w.Append("", "", journal.RunSettling, nil)
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(time.Second) {
		open := ""
		for name, spec := range specs {
			if f := New(name, spec).Judge(w.Record()); f.Open && time.Now().Before(f.OpenUntil) {
				open += name + " "
			}
		}
		t.Log("open:", open)
		if open == "" {
			break
		}
	}
	cancel()
	for range specs {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	w.Append("", "", journal.RunFinished, journal.RunEnd{Undone: true})
	for name, spec := range specs {
		f := New(name, spec).Judge(w.Record())
		t.Logf("JUDGE %s: %s open=%v breached=%v %s\n  details %q\n hints %q", name, f.Verdict, f.Open, f.Breached, f.Summary, f.Details, f.Hints)
	}
	w.Close()
}
