package availability

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// A kubelet that could not reach the API server tells of the last state alone:
// Ready, but since another moment.
func TestARelapseThatNobodyWasToldOfIsNotToldAway(t *testing.T) {
	tests := []struct {
		name    string
		relapse []string
		want    verify.Verdict
	}{
		{"one of three leaves the floor of two", []string{"a"}, verify.Pass},
		{"two of three may have been away together", []string{"a", "b"}, verify.Inconclusive},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t)
				check := New(checkName, Spec{Workload: shopWeb})
				s.observe(check)
				synctest.Wait()
				s.memory.run("", journal.RunBaseline, journal.Baseline{Healthy: true})
				s.memory.run("elsewhere", journal.StepInjecting, nil)
				time.Sleep(5 * time.Second)
				for _, letter := range test.relapse {
					s.update(withReady(pod("web", letter, "n1", true), true, time.Now().Add(-2*time.Second)))
				}
				time.Sleep(5 * time.Second)
				s.memory.run("", journal.RunSettling, nil)
				time.Sleep(time.Second)
				s.stop()

				finding := check.Judge(s.memory.record())
				if finding.Verdict != test.want {
					t.Errorf("%v: %s\n%s", finding.Verdict, finding.Summary, strings.Join(finding.Details, "\n"))
				}
			})
		})
	}
}
