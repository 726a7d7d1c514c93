package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gameday.dev/gameday/internal/journal"
)

// The alerts are the shop's own, so these scenes disturb its pods.
const (
	killWeb  = `{name: kill, %s podKill: {namespace: shop, selector: app=web, gracePeriod: 0s}}`
	anyAlert = `alert: %s, step: kill, within: 1m, resolvesWithin: 2m`
)

// paging kills a pod of the shop and expects these alerts of it.
func paging(alerts, hold string) drill {
	return drill{
		limits: `{namespaces: [shop]}`,
		checks: `[{name: pager, alerts: ` + alerts + `}]`,
		steps:  `[` + fmt.Sprintf(killWeb, "hold: "+hold+",") + `]`,
	}
}

func TestAlerts(t *testing.T) {
	var proofs []promise
	for _, proof := range []string{"firing", "routed", "notified", "delivered"} {
		proofs = append(proofs, promise{says: "an alert that fires and resolves passes when " + proof + " is asked for", needs: monitoring, proof: func(s *scene) {
			d := paging(`{expect: [{`+fmt.Sprintf(anyAlert, "ShopPodDown")+`, labels: {namespace: shop}, proof: `+proof+`}]}`, "5s")
			s.page(d).exits(0).undone().says("ShopPodDown fired")
		}})
	}
	prove(t, append(proofs,
		promise{says: "an alert that does not fire fails", needs: monitoring, proof: func(s *scene) {
			s.page(paging(`{expect: [{alert: ShopDown, step: kill, within: 15s}]}`, "16s")).exits(1).undone().says("ShopDown did not fire")
		}},
		promise{says: "an alert that fires and is forbidden fails by name", needs: monitoring, proof: func(s *scene) {
			s.page(paging(`{forbid: [{labels: {severity: page}}]}`, "5s")).exits(1).undone().says("ShopPodDown")
		}},
		promise{says: "an alert that cannot fire in the time given is refused with the arithmetic", needs: monitoring, proof: func(s *scene) {
			d := paging(`{expect: [{alert: ShopSlowBurn, step: kill, within: 2m}]}`, "1s")
			before := s.shop()
			s.planPage(d).exits(5).says("ShopSlowBurn", "15m", "2m")
			s.page(d).exits(5).says("ShopSlowBurn", "15m")
			s.wantShop(before)
		}},
		promise{says: "an alert that no rule makes is refused", needs: monitoring, proof: func(s *scene) {
			before := s.shop()
			s.page(paging(`{expect: [{`+fmt.Sprintf(anyAlert, "ShopPodDwon")+`}]}`, "1s")).exits(5).says("ShopPodDwon", "ShopPodDown")
			s.wantShop(before)
		}},
		promise{says: "a Prometheus that restarts during the run leaves a quiet alert inconclusive", needs: ownMachinery, proof: func(s *scene) {
			s.needsMonitoring()
			p := s.beginPage(paging(`{forbid: [{labels: {severity: critical}}]}`, "15s"))
			p.until(journal.StepHolding)
			s.restart("prometheus")
			p.wait().exits(3).undone().says("Prometheus")
			s.quiet()
		}},
	)...)
}

func TestPrometheusThatCannotBeTrusted(t *testing.T) {
	liars := []struct {
		says   string
		answer http.HandlerFunc
	}{
		{"answers 500", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "database is on fire", http.StatusInternalServerError)
		}},
		{"answers a login page", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html><body>please log in</body></html>")
		}},
		{"answers nothing", func(http.ResponseWriter, *http.Request) {}},
		{"breaks off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"status":"success","data":{`)
		}},
		{"never answers", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"wants a password", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who are you?", http.StatusUnauthorized) }},
	}
	for _, liar := range liars {
		prove(t, promise{says: "a Prometheus that " + liar.says + " is a refusal, and nothing is touched", proof: func(s *scene) {
			server := httptest.NewServer(liar.answer)
			defer server.Close()
			s.deployment("web", 1)
			before := s.pods("web")
			s.run(quietDrill(), "--prometheus-url", server.URL).exits(5).says("pager", strings.TrimPrefix(server.URL, "http://"))
			s.wantUntouched(before)
		}})
	}
	prove(t,
		promise{says: "a Prometheus that cannot be reached is a refusal, and nothing is touched", proof: func(s *scene) {
			s.deployment("web", 1)
			before := s.pods("web")
			s.run(quietDrill(), "--prometheus-url", "http://127.0.0.1:1").exits(5).says("127.0.0.1:1", "hint:")
			s.wantUntouched(before)
		}},
		promise{says: "an alerts check without a Prometheus is a refusal", proof: func(s *scene) {
			s.deployment("web", 1)
			before := s.pods("web")
			s.run(quietDrill()).exits(5).says("pager", "hint:")
			s.wantUntouched(before)
		}},
	)
}

func quietDrill() drill {
	d := kill("")
	d.checks = `[{name: pager, alerts: {forbid: [{labels: {severity: critical}}]}}]`
	return d
}

// page runs a drill against the shop once its alerts are quiet.
func (s *scene) page(d drill) *result {
	s.Helper()
	return s.beginPage(d).wait()
}

func (s *scene) beginPage(d drill) *process {
	s.Helper()
	s.quiet()
	return s.begin(d, s.endpoints()...)
}

func (s *scene) planPage(d drill) *result {
	s.Helper()
	return s.plan(d, s.endpoints()...)
}

func (s *scene) endpoints() []string {
	at := s.provider.Endpoints()
	return []string{"--prometheus-url", at.Prometheus, "--alertmanager-url", at.Alertmanager, "--receiver-url", at.Webhook + "/received"}
}

func (s *scene) needsMonitoring() {
	s.Helper()
	if why := missing(monitoring); why != "" {
		skip(s.T, why)
	}
}

// quiet waits until no alert is active but the one that always is.
func (s *scene) quiet() {
	s.Helper()
	s.eventually("the alerts are quiet", func() (bool, string) {
		err := s.provider.Endpoints().WaitQuiet(s.ctx)
		return err == nil, fmt.Sprint(err)
	})
}

// shop and wantShop are pods and wantUntouched for the shop's web.
func (s *scene) shop() []string {
	s.Helper()
	there := *s
	there.ns = "shop"
	var pods []string
	for _, pod := range there.pods("web") {
		pods = append(pods, string(pod.UID))
	}
	return pods
}

func (s *scene) wantShop(before []string) {
	s.Helper()
	after := strings.Join(s.shop(), " ")
	for _, uid := range before {
		if !strings.Contains(after, uid) {
			s.Errorf("the shop's pod %s was taken", uid)
		}
	}
}
