package e2e

import (
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/internal/journal"
)

// watching is a drill that watches web with these fields of its check and
// kills a pod of another workload, so that whatever web loses it loses to
// somebody else.
func watching(fields, hold string) drill {
	return drill{
		checks: `[{name: floor, availability: {workload: {kind: Deployment, namespace: "${ns}", name: web}` + fields + `}}]`,
		steps:  `[{name: elsewhere, hold: ` + hold + `, podKill: {namespace: "${ns}", selector: app=other, gracePeriod: 0s}}]`,
	}
}

func TestAvailability(t *testing.T) {
	prove(t,
		promise{says: "the loss of the only replica fails and says what it was lost to", proof: func(s *scene) {
			s.deployment("web", 1)
			pod := s.one("web")
			d := kill("")
			d.checks = `[{name: floor, availability: {workload: {kind: Deployment, namespace: "${ns}", name: web}, minAvailable: 1}}]`
			s.run(d).exits(1).undone().says("0 of 1 available for", "floor is 1", "lost to: deletion of ${ns}/"+pod+" by this run's kill")
		}},
		promise{says: "the floor is what the budget promises, and holds through an eviction", proof: func(s *scene) {
			s.deployment("web", 3)
			s.budget("web", "web", 2)
			d := kill(`method: evict`)
			d.checks = `[{name: floor, availability: {workload: {kind: Deployment, namespace: "${ns}", name: web}}}]`
			s.plan(d).exits(0).says("floor is 2 of 3")
			s.run(d).exits(0).undone().says("never below 2 of 3")
		}},
		promise{says: "an outage within the allowance passes", proof: func(s *scene) {
			s.deployment("web", 1)
			d := kill(`gracePeriod: 0s`)
			d.checks = `[{name: floor, availability: {workload: {kind: Deployment, namespace: "${ns}", name: web}, minAvailable: 1, maxUnavailableFor: 50s}}]`
			s.run(d).exits(0).undone().says("50s allowed")
		}},
		promise{says: "an eviction by somebody else is not blamed on the run", proof: func(s *scene) {
			s.deployment("web", 1)
			s.deployment("other", 1)
			pod := s.one("web")
			p := s.begin(watching(`, minAvailable: 1`, "8s"))
			p.until(journal.StepHolding)
			s.must(s.client.PolicyV1().Evictions(s.ns).Evict(s.ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod, Namespace: s.ns}}))
			p.wait().exits(1).undone().says("lost to: another eviction, not by this run, of ${ns}/" + pod).saysNot("by this run's")
		}},
		promise{says: "a deletion by somebody else is unknown, and not blamed on the run", proof: func(s *scene) {
			s.deployment("web", 1)
			s.deployment("other", 1)
			pod := s.one("web")
			p := s.begin(watching(`, minAvailable: 1`, "8s"))
			p.until(journal.StepHolding)
			s.kill(pod)
			p.wait().exits(1).undone().says("unknown: ${ns}/" + pod + " was deleted, not by this run").saysNot("by this run's")
		}},
		promise{says: "a node that loses power is named as the cause", needs: ownMachinery, proof: func(s *scene) {
			s.needsRealNodes()
			s.deployment("web", 1, on(s.stage))
			s.deployment("other", 1, on(s.wing))
			node, err := s.provider.Cluster().Node(s.stage)
			s.must(err)
			p := s.begin(watching(`, minAvailable: 1`, "20s"))
			p.until(journal.StepHolding)
			s.must(node.PowerOff(s.ctx))
			s.untilNode(s.stage, corev1.ConditionUnknown)
			s.must(node.PowerOn(s.ctx))
			r := p.wait()
			s.untilNode(s.stage, corev1.ConditionTrue)
			r.exits(1).undone().says("lost to: node ${node}, not Ready")
		}},
		promise{says: "a baseline that is not whole is refused", needs: realNodes, proof: func(s *scene) {
			s.deployment("other", 1)
			s.deployment("web", 1, on(s.stage), neverReady)
			other := s.pods("other")
			s.run(watching("", "1s")).exits(5).says("baseline not healthy", "floor")
			if len(s.survivors("other", other)) != 1 {
				s.Error("a pod was taken all the same")
			}
		}},
		promise{says: "an outage while the API server does not answer is not told away", needs: ownMachinery, proof: func(s *scene) {
			s.needsRealNodes()
			// A kubelet writes one pod's status at a time: the decoy's blocks
			// it, so that the API server never hears of what web goes through,
			// only that it is Ready since another moment. All of it is quicker
			// than the nodes' leases, else the node itself would count as lost.
			addresses := map[string]string{}
			for _, app := range []string{"web", "decoy"} {
				s.deployment(app, 1, on(s.stage), probed)
				s.eventually(app+" is Ready", func() (bool, string) { return s.ready(s.pods(app)[s.one(app)]), "not yet" })
				addresses[app] = s.pods(app)[s.one(app)].Status.PodIP
			}
			s.deployment("other", 1, on(s.wing))
			api, err := s.provider.Cluster().Daemon("kube-apiserver")
			s.must(err)
			p := s.begin(watching(`, minAvailable: 1`, "20s"))
			p.until(journal.StepHolding)
			s.must(api.Freeze(s.ctx))
			s.setReady(addresses["decoy"], false)
			s.lasts(1500 * time.Millisecond)
			s.setReady(addresses["web"], false)
			s.lasts(1500 * time.Millisecond)
			s.setReady(addresses["web"], true)
			s.lasts(1500 * time.Millisecond)
			s.must(api.Thaw(s.ctx))
			r := p.wait().undone()
			if r.code != 1 && r.code != 3 {
				s.Errorf("web was not Ready for a second and more, and exit code %d says that this did not happen", r.code)
			}
		}},
	)
}

func (s *scene) untilNode(name string, ready corev1.ConditionStatus) {
	s.Helper()
	s.eventually("node "+name+" is Ready="+string(ready), func() (bool, string) {
		for _, condition := range s.node(name).Status.Conditions {
			if condition.Type == corev1.NodeReady {
				return condition.Status == ready, string(condition.Status)
			}
		}
		return false, "it has no Ready condition"
	})
}

// setReady makes a pod of the shop fail or pass its readiness probe.
func (s *scene) setReady(address string, ready bool) {
	s.Helper()
	url := fmt.Sprintf("http://%s/admin/ready?value=%t", net.JoinHostPort(address, "8080"), ready)
	response, err := http.Post(url, "", nil)
	s.must(err)
	s.must(response.Body.Close())
	if response.StatusCode != http.StatusOK {
		s.Fatalf("POST %s: %s", url, response.Status)
	}
}

// lasts lets time pass that is part of a fault: nobody can be asked meanwhile
// whether the kubelet has seen what its probe says.
func (s *scene) lasts(d time.Duration) {
	s.Helper()
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
		s.Fatal(s.ctx.Err())
	}
}
