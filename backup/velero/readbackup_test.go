package velero

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/internal/climbtest"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/verify"
)

// The runner's clock has no say in how old a backup is.
func TestAgesAreToldByTheClusterAlone(t *testing.T) {
	for name, test := range map[string]struct {
		client *fake.Clientset
		want   verify.Verdict
		says   string
	}{
		"fresh":    {climbtest.Clock(climbtest.Night().Add(23 * time.Hour)), verify.Pass, "RPO 23h0m0s (start of backup nightly-1) of 24h0m0s"},
		"too old":  {climbtest.Clock(climbtest.Night().Add(25 * time.Hour)), verify.Fail, "RPO 25h0m0s (start of backup nightly-1), objective 24h0m0s missed"},
		"no clock": {climbtest.Clock(time.Time{}), verify.Inconclusive, "RPO cannot be told: the age of the backup is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := &Restore{Objectives: &backup.Objectives{RPO: &metav1.Duration{Duration: 24 * time.Hour}}}
			record := &climbtest.Recorder{}
			c := &climb{Teller: backup.Teller{Record: record}, spec: spec, env: experiments.Env{Client: test.client}}
			note := c.DisasterNow(t.Context(), c.env.Client)
			if (test.want == verify.Inconclusive) != (len(note) == 1) {
				t.Errorf("noted: %q", note)
			}
			all := record.Story
			for _, event := range told(spec, 0, nil) {
				if event.Kind != backup.EventDisaster {
					all = append(all, event)
				}
			}
			got := spec.Judge(all.Record(), climbtest.Step)
			if said := got.Summary + "\n" + strings.Join(got.Details, "\n"); got.Verdict != test.want || !strings.Contains(said, test.says) {
				t.Errorf("got %s: %s", got.Verdict, said)
			}
		})
	}
}
