package velero

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/internal/climbtest"
	"gameday.dev/gameday/backup/velero/probe"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// told is the climb of a step whose backup is of that age, with the verdicts that
// differ from pass.
func told(spec *Restore, age time.Duration, not map[string]verify.Verdict) climbtest.Story {
	s := climbtest.Story{
		climbtest.Tell(backup.EventFound, backup.Found{At: climbtest.Night(), AtSource: "start of backup nightly-1", Facts: map[string]string{"backup": "nightly-1"}}),
		climbtest.Tell(backup.EventDisaster, backup.Disaster{At: climbtest.Night().Add(age)}),
	}
	for _, name := range spec.required() {
		verdict, differs := not[name]
		if !differs {
			verdict = verify.Pass
		}
		rung := backup.Rung{Name: name, Verdict: verdict, Seconds: 9, Summary: name + " " + verdict.String()}
		if verdict == verify.Pass && name == rungRestore {
			rung.Phases = []backup.Phase{{Name: "wait", Seconds: 1}, {Name: "restore", Seconds: 4}, {Name: "volumes", Seconds: 5}}
			rung.RecoverySeconds = 10
		}
		if verdict == verify.Pass && name == rungReady {
			rung.RecoverySeconds = 20
		}
		s = append(s, climbtest.Tell(backup.EventRung, rung))
		if verdict != verify.Pass && name == rungBackup {
			break
		}
	}
	return append(s, climbtest.Tell(journal.StepInjected, journal.Outcome{State: journal.Done, Expected: true}))
}

func TestJudge(t *testing.T) {
	objectives := func(rpo, rto time.Duration) *backup.Objectives {
		return &backup.Objectives{RPO: &metav1.Duration{Duration: rpo}, RTO: &metav1.Duration{Duration: rto}}
	}
	drill := &Restore{Control: true, Objectives: objectives(24*time.Hour, time.Minute)}
	started := &Restore{Start: true, Probe: &probe.Spec{}, Objectives: objectives(24*time.Hour, time.Minute)}
	slow := &Restore{Start: true, Objectives: objectives(24*time.Hour, 25*time.Second)}
	type verdicts = map[string]verify.Verdict
	for name, test := range map[string]struct {
		spec    *Restore
		story   climbtest.Story
		want    verify.Verdict
		reached string
		says    string
	}{
		"all rungs":               {drill, told(drill, time.Hour, nil), verify.Pass, rungControl, "rung 5 of 5, control"},
		"started":                 {started, told(started, time.Hour, nil), verify.Pass, rungVolumes, "RTO 30s (wait 1s, restore 4s, volumes 5s, ready 20s) of 1m0s"},
		"the least":               {&Restore{}, told(&Restore{}, time.Hour, nil), verify.Pass, rungVolumes, "RPO 1h0m0s (start of backup nightly-1)"},
		"backup failed":           {drill, told(drill, time.Hour, verdicts{rungBackup: verify.Fail}), verify.Fail, "", "rung 1 of 5, backup: backup fail"},
		"backup not to be read":   {drill, told(drill, time.Hour, verdicts{rungBackup: verify.Inconclusive}), verify.Inconclusive, "", "rung 1 of 5"},
		"restore failed":          {drill, told(drill, time.Hour, verdicts{rungRestore: verify.Fail}), verify.Fail, rungBackup, "rung 2 of 5, restore"},
		"object lost":             {drill, told(drill, time.Hour, verdicts{rungObjects: verify.Fail}), verify.Fail, rungRestore, "rung 3 of 5, objects"},
		"not compared":            {drill, told(drill, time.Hour, verdicts{rungObjects: verify.Inconclusive}), verify.Inconclusive, rungRestore, "rung 3 of 5"},
		"volume lost":             {drill, told(drill, time.Hour, verdicts{rungVolumes: verify.Fail}), verify.Fail, rungObjects, "rung 4 of 5, volumes"},
		"blind":                   {drill, told(drill, time.Hour, verdicts{rungControl: verify.Fail}), verify.Fail, rungVolumes, "rung 5 of 5, control"},
		"not ready, objects lost": {started, told(started, time.Hour, verdicts{rungReady: verify.Inconclusive, rungObjects: verify.Fail}), verify.Fail, rungRestore, "objects: objects fail"},
		"not ready, no time":      {started, told(started, time.Hour, verdicts{rungReady: verify.Fail}), verify.Fail, rungRestore, "RTO cannot be told: nothing served"},
		"too old":                 {drill, told(drill, 25*time.Hour, nil), verify.Fail, rungControl, "RPO 25h0m0s"},
		"too slow":                {slow, told(slow, time.Hour, nil), verify.Fail, rungVolumes, "objective 25s missed"},
		"control not climbed to":  {drill, told(&Restore{}, time.Hour, nil), verify.Inconclusive, rungVolumes, "rung 5 of 5, control, was not tried"},
		"cut":                     {drill, told(drill, time.Hour, nil)[:7], verify.Inconclusive, rungControl, "the record ends too early"},
		"empty":                   {drill, nil, verify.Inconclusive, "", "was not tried"},
	} {
		t.Run(name, func(t *testing.T) {
			got := test.spec.Judge(test.story.Record(), climbtest.Step)
			all := got.Summary + "\n" + strings.Join(got.Details, "\n")
			if got.Verdict != test.want || got.Evidence.Reached != test.reached || !strings.Contains(all, test.says) {
				t.Errorf("got %s, reached %q: %s", got.Verdict, got.Evidence.Reached, all)
			}
		})
	}
}

// What a rule let pass is told wherever the rung stands that says so.
func TestNotesAreTold(t *testing.T) {
	for name, spec := range map[string]*Restore{"the last rung": {}, "one before the last": {Control: true}} {
		for verdict, not := range map[string]map[string]verify.Verdict{
			"pass": nil, "fail": {rungVolumes: verify.Fail}, "past a failure": {rungObjects: verify.Fail},
		} {
			events := told(spec, time.Hour, not)
			for i, event := range events {
				var rung backup.Rung
				if event.Kind == backup.EventRung && event.Decode(&rung) == nil && rung.Name == rungVolumes {
					rung.Notes = []string{"4 by rule hardLinks"}
					events[i] = climbtest.Tell(backup.EventRung, rung)
				}
			}
			got := spec.Judge(events.Record(), climbtest.Step)
			if !slices.Contains(got.Details, "note: 4 by rule hardLinks") {
				t.Errorf("%s, %s: %q", name, verdict, got.Details)
			}
		}
	}
}

// Whatever is taken out of a record, or told twice, it never passes.
func TestMutilatedRecordsDoNotPass(t *testing.T) {
	spec := &Restore{Control: true, Start: true, Probe: &probe.Spec{}}
	whole := told(spec, time.Hour, nil)
	for i, event := range whole {
		if event.Kind == backup.EventFound || event.Kind == backup.EventDisaster {
			continue // without them there is only no RPO
		}
		without := append(append(climbtest.Story{}, whole[:i]...), whole[i+1:]...)
		if got := spec.Judge(without.Record(), climbtest.Step); got.Verdict != verify.Inconclusive {
			t.Errorf("without event %d (%s): %s: %s", i, event.Data, got.Verdict, got.Summary)
		}
		if event.Kind != backup.EventRung {
			continue
		}
		twice := append(append(climbtest.Story{}, whole[:i+1]...), whole[i:]...)
		if got := spec.Judge(twice.Record(), climbtest.Step); got.Verdict == verify.Pass {
			t.Errorf("with event %d (%s) twice it passes", i, event.Data)
		}
		hollow := append(climbtest.Story{}, whole...)
		hollow[i] = climbtest.Tell(backup.EventRung, backup.Rung{})
		if got := spec.Judge(hollow.Record(), climbtest.Step); got.Verdict == verify.Pass {
			t.Errorf("with event %d hollow it passes", i)
		}
	}
}
