package e2e

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/internal/journal"
)

// kill is a drill of one podKill step with these fields.
func kill(fields string) drill {
	return drill{steps: `[{name: kill, podKill: {namespace: "${ns}", selector: app=web, ` + fields + `}}]`}
}

func TestPodKill(t *testing.T) {
	prove(t,
		promise{says: "a deletion asks no budget", proof: func(s *scene) {
			s.deployment("web", 2)
			s.budget("web", "web", 2)
			before := s.pods("web")
			r := s.run(kill(`count: 1, method: delete`)).exits(0).undone()
			if len(s.survivors("web", before)) != 1 {
				s.Errorf("of %d pods %v survived, want one", len(before), s.survivors("web", before))
			}
			if settled := r.step("kill").Settled; settled == nil || !settled.Recovered {
				s.Errorf("the step did not see its replacement: %+v", settled)
			}
		}},
		promise{says: "an eviction that a budget holds back is blocked, which fails", proof: func(s *scene) {
			s.deployment("web", 2)
			s.budget("web", "web", 2)
			before := s.pods("web")
			r := s.run(kill(`method: evict, timeout: 3s`)).exits(1).undone().says("PDB ${ns}/web", "needs 2 healthy")
			s.wantUntouched(before)
			if state := r.step("kill").State; state != journal.Blocked {
				s.Errorf("the step ended %s", state)
			}
		}},
		promise{says: "a budget that holds is the passing outcome when the scenario expects it", proof: func(s *scene) {
			s.deployment("web", 2)
			s.budget("web", "web", 2)
			before := s.pods("web")
			s.run(kill(`method: evict, timeout: 3s, expect: blocked`)).exits(0).undone()
			s.wantUntouched(before)
		}},
		promise{says: "an eviction that a budget allows takes the pod", proof: func(s *scene) {
			s.deployment("web", 2)
			s.budget("web", "web", 1)
			before := s.pods("web")
			s.run(kill(`method: evict`)).exits(0).undone()
			if len(s.survivors("web", before)) != 1 {
				s.Errorf("%v survived, want one", s.survivors("web", before))
			}
		}},
		promise{says: "count is a number, a percent rounded up, or all", proof: func(s *scene) {
			s.deployment("web", 3)
			for count, want := range map[string]int{`2`: 2, `34%`: 2, `100%`: 3, `all`: 3} {
				before := s.pods("web")
				s.run(kill(fmt.Sprintf(`count: %s, gracePeriod: 0s`, count))).exits(0).undone()
				if lost := len(before) - len(s.survivors("web", before)); lost != want {
					s.Errorf("count %s took %d of 3, want %d", count, lost, want)
				}
			}
		}},
		promise{says: "exclusions apply before counting", proof: func(s *scene) {
			s.deployment("web", 2)
			precious := s.one("web")
			s.label(precious, "precious", "yes")
			before := s.pods("web")
			s.plan(kill(`count: 2, exclude: precious=yes`)).exits(5).says("matches 1 candidates", "1 excluded")
			s.run(kill(`count: all, exclude: precious=yes`)).exits(0).undone()
			if left := s.survivors("web", before); !slices.Equal(left, []string{precious}) {
				s.Errorf("%v survived, want %s", left, precious)
			}
		}},
		promise{says: "the same seed takes the same pods, in plan and in run", proof: func(s *scene) {
			s.deployment("web", 3)
			d := kill(`count: 2, gracePeriod: 0s`)
			first, second := s.plan(d).exits(0), s.plan(d).exits(0)
			if first.stdout != second.stdout {
				s.Errorf("two plans with one seed differ:\n%s\n%s", first.stdout, second.stdout)
			}
			for _, name := range s.run(d).exits(0).taken() {
				first.says("Pod ${ns}/" + name)
			}
		}},
		promise{says: "a StatefulSet's pod comes back under the same name and is known as another", needs: realNodes, proof: func(s *scene) {
			s.statefulSet("web", 1)
			before := s.pods("web")
			d := kill(`count: 1`)
			d.checks = `[{name: watch, availability: {workload: {kind: StatefulSet, namespace: "${ns}", name: web}, minAvailable: 0, recoverWithin: 1m}}]`
			s.run(d).exits(0).undone().says("replacement web-0 Ready")
			if after := s.pods("web"); after["web-0"].UID == before["web-0"].UID {
				s.Error("web-0 is the same pod as before")
			}
		}},
		promise{says: "terminating pods are no candidates", needs: realNodes, proof: func(s *scene) {
			s.deployment("web", 2, stubborn(60))
			leaving := s.one("web")
			s.must(s.client.CoreV1().Pods(s.ns).Delete(s.ctx, leaving, metav1.DeleteOptions{}))
			s.untilRunning("web", 2)
			s.plan(kill(`count: 3`)).exits(5).says("1 terminating")
			s.plan(kill(`count: all`)).exits(0).saysNot("Pod ${ns}/" + leaving)
		}},
		promise{says: "a breach ends the injection at once", proof: func(s *scene) {
			s.deployment("web", 2)
			s.deployment("other", 1)
			other := s.pods("other")
			d := drill{
				checks: `[{name: floor, abortOnBreach: true, availability: {workload: {kind: Deployment, namespace: "${ns}", name: web}, minAvailable: 2}}]`,
				steps: `[{name: kill, hold: 60s, podKill: {namespace: "${ns}", selector: app=web, gracePeriod: 0s}},
				         {name: never, podKill: {namespace: "${ns}", selector: app=other}}]`,
			}
			r := s.run(d).exits(1).undone()
			if r.report.DurationSeconds > 45 {
				s.Errorf("it held for the whole minute: %.0fs", r.report.DurationSeconds)
			}
			if state := r.step("never").State; state != journal.Skipped {
				s.Errorf("the step after the breach ended %s", state)
			}
			if len(s.survivors("other", other)) != 1 {
				s.Error("the step after the breach was injected")
			}
		}},
	)
}

func TestPodKillRefuses(t *testing.T) {
	refusals := []struct {
		says   string
		drill  drill
		limits string
		hears  []string
	}{
		{"fewer candidates than counted", kill(`count: 5`), "", []string{"matches 2 candidates, the step wants 5"}},
		{"more pods than limits allow", kill(`count: 2`), `{namespaces: ["${ns}"], maxPods: 1}`, []string{"limits.maxPods allows 1"}},
		{"more pods than limits allow in percent", kill(`count: 2`), `{namespaces: ["${ns}"], maxPods: 50%}`, []string{"limits.maxPods allows 1"}},
		{"a selector that matches nothing",
			drill{steps: `[{name: kill, podKill: {namespace: "${ns}", selector: app=wbe}}]`}, "", []string{`no pod in namespace ${ns} matches "app=wbe"`, "hint:", "web"}},
	}
	for _, refusal := range refusals {
		prove(t, promise{says: refusal.says + " is refused and nothing is touched", proof: func(s *scene) {
			s.deployment("web", 2)
			before := s.pods("web")
			refusal.drill.limits = refusal.limits
			s.plan(refusal.drill).exits(5).says(refusal.hears...)
			s.run(refusal.drill).exits(5).says(refusal.hears...)
			s.wantUntouched(before)
		}})
	}
	prove(t, promise{says: "a namespace outside limits is refused", proof: func(s *scene) {
		d := kill(`count: 1`)
		d.limits = `{namespaces: [somewhere-else]}`
		s.run(d).exits(5).says("drill.yaml:", "is not in spec.limits.namespaces (somewhere-else)")
	}})
}

// wantUntouched wants the very pods of before, and no others.
func (s *scene) wantUntouched(before map[string]corev1.Pod) {
	s.Helper()
	after := s.pods("web")
	if len(s.survivors("web", before)) != len(before) || len(after) != len(before) {
		s.Errorf("pods were touched: %d before, %d of them left, %d now", len(before), len(s.survivors("web", before)), len(after))
	}
}

// one is the name of the first pod of an app.
func (s *scene) one(app string) string {
	s.Helper()
	var names []string
	for name := range s.pods(app) {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) == 0 {
		s.Fatalf("%s has no pods", app)
	}
	return names[0]
}
