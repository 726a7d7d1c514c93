package availability

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ktesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// The whole way: a kill whose replacement is slow, an eviction that breaks the
// floor meanwhile, recovery. Times are exact, since the bubble's clock is.
func TestFromWatchToFinding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		check := New(checkName, Spec{Workload: shopWeb, RecoverWithin: lasting(90 * time.Second)})
		s.observe(check)
		synctest.Wait()
		if baseline := check.Baseline(s.memory.record()); baseline.Verdict != verify.Pass {
			t.Fatalf("baseline %v: %s", baseline.Verdict, baseline.Summary)
		}
		s.memory.run("", journal.RunBaseline, journal.Baseline{Healthy: true})
		time.Sleep(time.Second)

		s.disrupt("kill-one", "web-a", "deleted")
		time.Sleep(2 * time.Second)
		s.disrupt("drain", "web-b", "evicted")
		s.update(terminating(pod("web", "b", "n2", true), "EvictionByEvictionAPI"))
		time.Sleep(14220 * time.Millisecond)

		mid := check.Judge(s.memory.record())
		if !mid.Breached || !mid.Open || mid.Verdict != verify.Fail {
			t.Errorf("in the middle of the outage: %v, breached %v, open %v", mid.Verdict, mid.Breached, mid.Open)
		}

		s.create(pod("web", "d", "n1", true))
		synctest.Wait()
		s.memory.run("", journal.RunSettling, nil)
		time.Sleep(3100 * time.Millisecond)
		s.delete("web-b")
		s.create(pod("web", "e", "n1", true))
		time.Sleep(time.Second)
		s.stop()

		finding := check.Judge(s.memory.record())
		if finding.Verdict != verify.Fail || finding.Open {
			t.Errorf("verdict %v, open %v", finding.Verdict, finding.Open)
		}
		if want := "1 of 3 available for 14.2s (00:00:03.000 to 00:00:17.220), floor is 2"; finding.Summary != want {
			t.Errorf("summary %q\n   want %q", finding.Summary, want)
		}
		if want := "lost to: eviction of shop/web-b by this run's drain, while web-a was not Ready"; finding.Details[0] != want {
			t.Errorf("detail %q\n  want %q", finding.Details[0], want)
		}
		if got := strings.Join(finding.Details, "\n"); !strings.Contains(got, "full count back 3.1s after the faults ended") {
			t.Errorf("no recovery in %s", got)
		}
		if want := "web has no PDB; minAvailable 2 would have held the drain back. See docs/checks/availability.md"; len(finding.Hints) != 1 || finding.Hints[0] != want {
			t.Errorf("hints %q", finding.Hints)
		}
	})
}

// disrupt removes a pod on behalf of a step, as the faults do.
func (s *shop) disrupt(step, name, how string) {
	experiment := map[string]string{"evicted": "nodeDrain", "deleted": "podKill"}[how]
	target := journal.Target{Kind: "Pod", Namespace: "shop", Name: name, UID: name}
	s.memory.run(step, journal.StepPlanned, journal.Planned{Experiment: experiment})
	s.memory.run(step, journal.StepInjecting, nil)
	s.memory.run(step, journal.PodDisrupted, journal.Disruption{Target: target, How: how, At: time.Now()})
	if how == "deleted" {
		s.delete(name)
	}
}

func TestOneEventForEachChange(t *testing.T) {
	tests := []struct {
		name string
		spec Spec
		do   func(*shop)
		want string
	}{
		{"nothing happens", Spec{}, func(*shop) {}, "3/3>=2 "},
		{"a pod of the neighbour is lost", Spec{}, func(s *shop) { s.delete("other-x") }, "3/3>=2 "},
		{"a pod changes in what doesn't matter", Spec{}, func(s *shop) {
			p := pod("web", "a", "n1", true)
			p.Annotations = map[string]string{"seen": "yes"}
			s.update(p)
		}, "3/3>=2 "},
		{"not Ready, then deleted: one loss", Spec{}, func(s *shop) {
			p := pod("web", "a", "n1", false)
			s.update(p)
			s.update(terminating(p, ""))
			s.delete("web-a")
		}, "3/3>=2 2/3>=2 "},
		{"terminating is not available, though Ready", Spec{}, func(s *shop) {
			s.update(terminating(pod("web", "a", "n1", true), ""))
		}, "3/3>=2 2/3>=2 "},
		{"scaled up", Spec{}, func(s *shop) { scale(s.t, s.client, 5) }, "3/3>=2 3/5>=4 "},
		{"scaled to nothing", Spec{}, func(s *shop) { scale(s.t, s.client, 0) }, "3/3>=2 3/0>=1 "},
		{"a percentage is rounded up", Spec{MinAvailable: share("50%")}, func(s *shop) { scale(s.t, s.client, 5) }, "3/3>=2 3/5>=3 "},
		{"a budget appears", Spec{}, func(s *shop) {
			_, _ = s.client.PolicyV1().PodDisruptionBudgets("shop").Create(s.t.Context(), budget("web", "", "0"), metav1.CreateOptions{})
		}, "3/3>=2 3/3>=3 "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t)
				test.spec.Workload = shopWeb
				s.observe(New(checkName, test.spec))
				synctest.Wait()
				test.do(s)
				time.Sleep(500 * time.Millisecond)
				s.stop()
				if got := s.memory.available(); got != test.want {
					t.Errorf("counts %s, want %s", got, test.want)
				}
			})
		})
	}
}

func TestMinReadySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		patient := deployment("web", 3)
		patient.Spec.MinReadySeconds = 10
		if err := s.client.Tracker().Update(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, patient, "shop"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // long enough for the three to count
		s.observe(New(checkName, Spec{Workload: shopWeb}))
		synctest.Wait()
		s.update(pod("web", "a", "n1", false))
		time.Sleep(time.Second)
		s.update(pod("web", "a", "n1", true))
		time.Sleep(20 * time.Second)
		s.stop()
		counts := of[countEvent](s.memory, eventCount)
		if got := s.memory.available(); got != "3/3>=2 2/3>=2 3/3>=2 " {
			t.Fatalf("counts %s", got)
		}
		if unavailable := counts[2].At.Sub(counts[1].At); unavailable != 11*time.Second {
			t.Errorf("unavailable for %v, want 11s: Ready after 1s, available 10s later", unavailable)
		}
	})
}

func TestBelowTheFloorTheRecordGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		check := New(checkName, Spec{Workload: shopWeb, MinAvailable: share("3"), MaxUnavailableFor: lasting(5 * time.Second)})
		s.observe(check)
		synctest.Wait()
		s.memory.run("", journal.RunBaseline, journal.Baseline{Healthy: true})
		s.update(pod("web", "a", "n1", false))
		time.Sleep(4500 * time.Millisecond)
		if check.Judge(s.memory.record()).Breached {
			t.Error("breached 4.5s into an outage of which 5s are allowed")
		}
		time.Sleep(2 * time.Second)
		if !check.Judge(s.memory.record()).Breached {
			t.Error("not breached 6.5s into an outage of which 5s are allowed")
		}
		s.stop()
	})
}

func TestWithoutPermission(t *testing.T) {
	forbid := func(s *shop, resource string) {
		s.client.PrependReactor("list", resource, func(ktesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", errors.New("no rule"))
		})
	}
	t.Run("nodes are done without", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t)
			forbid(s, "nodes")
			s.observe(New(checkName, Spec{Workload: shopWeb}))
			time.Sleep(time.Second)
			s.stop()
			notes := of[noteEvent](s.memory, eventNote)
			if len(notes) != 1 || !strings.Contains(notes[0].Note, "nodes") {
				t.Errorf("notes %v", notes)
			}
			if s.memory.available() == "" {
				t.Error("nothing was counted")
			}
		})
	})
	t.Run("pods are not", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t)
			forbid(s, "pods")
			s.observe(New(checkName, Spec{Workload: shopWeb}))
			time.Sleep(10 * time.Second)
			select {
			case err := <-s.done:
				if !apierrors.IsForbidden(err) {
					t.Errorf("error %v", err)
				}
			default:
				t.Error("still observing")
			}
			s.cancel()
		})
	})
}

func TestNodesAndLateEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		check := New(checkName, Spec{Workload: shopWeb, MinAvailable: share("3")})
		s.observe(check)
		synctest.Wait()
		s.memory.run("", journal.RunBaseline, journal.Baseline{Healthy: true})
		s.memory.run("kill", journal.StepInjecting, nil)
		time.Sleep(time.Second)
		if _, err := s.client.CoreV1().Nodes().UpdateStatus(t.Context(), node("n2", false), metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.update(pod("web", "b", "n2", false))
		time.Sleep(time.Second)
		s.update(pod("web", "b", "n2", true))
		time.Sleep(time.Minute)
		s.update(pod("web", "c", "n3", false))
		time.Sleep(time.Second)
		s.update(terminating(pod("web", "c", "n3", false), "EvictionByEvictionAPI"))
		time.Sleep(time.Second)
		s.stop()
		details := strings.Join(check.Judge(s.memory.record()).Details, "\n")
		for _, want := range []string{
			"node n2, not Ready (NodeStatusUnknown) with shop/web-b on it",
			"another eviction, not by this run, of shop/web-c",
		} {
			if !strings.Contains(details, want) {
				t.Errorf("no %q in:\n%s", want, details)
			}
		}
	})
}
