package etcd

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/internal/climbtest"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

func rungOf(name string, verdict verify.Verdict) journal.Event {
	recovery := map[string]float64{rungRestore: 2, rungServe: 1, rungAPIServer: 5}
	return climbtest.Tell(backup.EventRung, backup.Rung{
		Name: name, Verdict: verdict, Seconds: 9, RecoverySeconds: recovery[name], Summary: name + " " + verdict.String(), Hints: nil,
	})
}

// climb tells of a climb of a snapshot of that age, with the verdicts that
// differ from pass.
func told(level string, age time.Duration, not map[string]verify.Verdict) climbtest.Story {
	s := climbtest.Story{rungOf(rungMembers, not[rungMembers]), climbtest.Tell(backup.EventDisaster, backup.Disaster{At: climbtest.Night().Add(age)})}
	if _, set := not[rungMembers]; !set {
		s[0] = rungOf(rungMembers, verify.Pass)
	}
	s = append(s, climbtest.Tell(backup.EventFound, backup.Found{At: climbtest.Night(), AtSource: "renewTime of Lease kube-node-lease/n1"}))
	for _, name := range rungs() {
		verdict, differs := not[name]
		if !differs {
			verdict = verify.Pass
		}
		s = append(s, rungOf(name, verdict))
		if name == level || verdict == verify.Fail || verdict == verify.Inconclusive && name != rungDecode && name != rungMatch {
			break
		}
	}
	return append(s, climbtest.Tell(journal.StepInjected, journal.Outcome{State: journal.Done, Expected: true}))
}

func restore(level string, rpo, rto time.Duration) *Restore {
	return &Restore{Level: level, Objectives: &backup.Objectives{RPO: &metav1.Duration{Duration: rpo}, RTO: &metav1.Duration{Duration: rto}}}
}

func TestJudge(t *testing.T) {
	drill := restore(rungAPIServer, 24*time.Hour, time.Minute)
	type verdicts = map[string]verify.Verdict
	for name, test := range map[string]struct {
		spec    *Restore
		story   climbtest.Story
		want    verify.Verdict
		reached string
		says    string
	}{
		"all rungs":                      {drill, told(rungAPIServer, time.Hour, nil), verify.Pass, rungAPIServer, "rung 7 of 7, apiServer"},
		"default level":                  {&Restore{}, told(rungMatch, time.Hour, nil), verify.Pass, rungMatch, "rung 6 of 6, match"},
		"damaged":                        {drill, told(rungAPIServer, time.Hour, verdicts{rungIntegrity: verify.Fail}), verify.Fail, rungSnapshot, "rung 2 of 7, integrity: integrity fail"},
		"no snapshot":                    {drill, told(rungAPIServer, time.Hour, verdicts{rungSnapshot: verify.Inconclusive}), verify.Inconclusive, "", "rung 1 of 7"},
		"differs":                        {drill, told(rungAPIServer, time.Hour, verdicts{rungMatch: verify.Fail}), verify.Fail, rungDecode, "rung 6 of 7, match"},
		"compacted":                      {drill, told(rungAPIServer, time.Hour, verdicts{rungMatch: verify.Inconclusive}), verify.Inconclusive, rungDecode, "rung 6 of 7, match"},
		"undecodable, and does not boot": {drill, told(rungAPIServer, time.Hour, verdicts{rungDecode: verify.Inconclusive, rungAPIServer: verify.Fail}), verify.Fail, rungServe, "apiServer: apiServer fail"},
		"members disagree":               {drill, told(rungAPIServer, time.Hour, verdicts{rungMembers: verify.Fail}), verify.Fail, rungAPIServer, "members fail"},
		"members not comparable":         {drill, told(rungAPIServer, time.Hour, verdicts{rungMembers: verify.Inconclusive}), verify.Pass, rungAPIServer, ""},
		"too old":                        {drill, told(rungAPIServer, 25*time.Hour, nil), verify.Fail, rungAPIServer, "RPO 25h0m0s"},
		"too slow":                       {restore(rungServe, 24*time.Hour, 2*time.Second), told(rungServe, time.Hour, nil), verify.Fail, rungServe, "RTO 3s (restore 2s, serve 1s), objective 2s missed"},
		"level not climbed to":           {drill, told(rungMatch, time.Hour, nil), verify.Inconclusive, rungMatch, "rung 7 of 7, apiServer, was not tried"},
		"cut":                            {drill, told(rungAPIServer, time.Hour, nil)[:10], verify.Inconclusive, rungAPIServer, "the record ends too early"},
		"empty":                          {drill, nil, verify.Inconclusive, "", "was not tried"},
	} {
		t.Run(name, func(t *testing.T) {
			got := test.spec.Judge(test.story.Record(), climbtest.Step)
			if got.Verdict != test.want || got.Evidence.Reached != test.reached || !strings.Contains(got.Summary, test.says) {
				t.Errorf("got %s, reached %q: %s\n%s", got.Verdict, got.Evidence.Reached, got.Summary, strings.Join(got.Details, "\n"))
			}
		})
	}
}

func TestObjectivesAreHeldAgainstWhatIsKnown(t *testing.T) {
	spec := restore(rungServe, 24*time.Hour, time.Minute)
	for name, test := range map[string]struct {
		found backup.Found
		want  verify.Verdict
	}{
		"content":           {backup.Found{At: climbtest.Night().Add(-time.Hour)}, verify.Pass},
		"only a claim":      {backup.Found{At: climbtest.Night().Add(-time.Hour), Weak: true}, verify.Inconclusive},
		"a claim too old":   {backup.Found{At: climbtest.Night().Add(-25 * time.Hour), Weak: true}, verify.Inconclusive},
		"nothing known":     {backup.Found{}, verify.Inconclusive},
		"from the future":   {backup.Found{At: climbtest.Night().Add(time.Hour)}, verify.Inconclusive},
		"clocks apart":      {backup.Found{At: climbtest.Night().Add(time.Minute)}, verify.Pass},
		"older than wanted": {backup.Found{At: climbtest.Night().Add(-25 * time.Hour)}, verify.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			s := slices.DeleteFunc(told(rungServe, 0, nil), func(e journal.Event) bool { return e.Kind == backup.EventFound })
			s = slices.Insert(s, 2, climbtest.Tell(backup.EventFound, test.found))
			if got := spec.Judge(s.Record(), climbtest.Step); got.Verdict != test.want {
				t.Errorf("got %s: %s, %v", got.Verdict, got.Summary, got.Details)
			}
		})
	}
}

// Take any event away, hollow any out, or tell a rung twice: nothing becomes a
// pass that was none, and without its evidence no pass stays one.
func TestNoPassWithoutEvidence(t *testing.T) {
	spec := restore(rungAPIServer, 24*time.Hour, time.Minute)
	whole := told(rungAPIServer, time.Hour, nil)
	if got := spec.Judge(whole.Record(), climbtest.Step); got.Verdict != verify.Pass {
		t.Fatalf("the whole story does not pass: %s", got.Summary)
	}
	for i := range whole {
		if got := spec.Judge(slices.Delete(slices.Clone(whole), i, i+1).Record(), climbtest.Step); got.Verdict == verify.Pass {
			t.Errorf("passes without event %d, %s %s", i+1, whole[i].Kind, whole[i].Data)
		}
		for _, hollow := range []string{"", "{}", "null", `{"verdict":"splendid"}`} {
			mutant := slices.Clone(whole)
			mutant[i].Data = json.RawMessage(hollow)
			got := spec.Judge(mutant.Record(), climbtest.Step)
			if whole[i].Kind != journal.StepInjected && got.Verdict == verify.Pass {
				t.Errorf("passes with event %d, %s, as %q", i+1, whole[i].Kind, hollow)
			}
		}
		if i+1 < len(whole) && whole[i].Kind == backup.EventRung && whole[i+1].Kind == backup.EventRung {
			mutant := slices.Clone(whole)
			mutant[i], mutant[i+1] = mutant[i+1], mutant[i]
			if got := spec.Judge(mutant.Record(), climbtest.Step); got.Verdict == verify.Pass {
				t.Errorf("passes with events %d and %d in the other order", i+1, i+2)
			}
		}
		if whole[i].Kind == backup.EventRung {
			var rung backup.Rung
			if err := whole[i].Decode(&rung); err != nil {
				t.Fatal(err)
			}
			twice := append(slices.Clone(whole), rungOf(rung.Name, verify.Fail))
			if got := spec.Judge(twice.Record(), climbtest.Step); got.Verdict != verify.Fail {
				t.Errorf("a second %s that fails is overlooked: %s", rung.Name, got.Verdict)
			}
		}
	}
}

// A record that contradicts itself is no evidence, and a recovery whose time
// was lost was not quick.
func TestNoPassFromARecordThatContradictsItself(t *testing.T) {
	spec := restore(rungAPIServer, 24*time.Hour, time.Minute)
	alter := func(name string, change func(*backup.Rung)) climbtest.Story {
		s := told(rungAPIServer, time.Hour, nil)
		for i := range s {
			var rung backup.Rung
			if s[i].Kind == backup.EventRung && s[i].Decode(&rung) == nil && rung.Name == name {
				change(&rung)
				s[i] = climbtest.Tell(backup.EventRung, rung)
			}
		}
		return s
	}
	ended := told(rungAPIServer, time.Hour, nil)
	ended[len(ended)-1] = climbtest.Tell(journal.StepInjected, journal.Outcome{State: journal.Failed})
	late := append(told(rungMatch, time.Hour, nil), rungOf(rungAPIServer, verify.Pass))
	for name, s := range map[string]climbtest.Story{
		"the climb ended failed":   ended,
		"a rung after the end":     late,
		"problems on a rung":       alter(rungMatch, func(r *backup.Rung) { r.ProblemCount = 5 }),
		"no time of the restore":   alter(rungRestore, func(r *backup.Rung) { r.RecoverySeconds = 0 }),
		"no time of the boot":      alter(rungAPIServer, func(r *backup.Rung) { r.RecoverySeconds = 0 }),
		"a second, quicker rung":   slices.Insert(told(rungAPIServer, time.Hour, nil), 10, rungOf(rungAPIServer, verify.Pass)),
		"a rung of another ladder": slices.Insert(told(rungAPIServer, time.Hour, nil), 10, rungOf("bless", verify.Pass)),
	} {
		t.Run(name, func(t *testing.T) {
			if got := spec.Judge(s.Record(), climbtest.Step); got.Verdict != verify.Inconclusive {
				t.Errorf("got %s: %s", got.Verdict, got.Summary)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	hour := &metav1.Duration{Duration: time.Hour}
	for name, test := range map[string]struct {
		spec     Restore
		problems int
	}{
		"nothing set":           {Restore{}, 0},
		"a file":                {Restore{From: &Source{File: "a.db"}}, 0},
		"an empty source":       {Restore{From: &Source{}}, 1},
		"two sources":           {Restore{From: &Source{File: "a.db", Newest: true}}, 1},
		"unknown level":         {Restore{Level: "moon"}, 1},
		"rto that none can see": {Restore{Level: rungDecode, Objectives: &backup.Objectives{RTO: hour}}, 0},
		"rto too early":         {Restore{Level: rungRestore, Objectives: &backup.Objectives{RTO: hour}}, 1},
		"rpo too early":         {Restore{Level: rungSnapshot, Objectives: &backup.Objectives{RPO: hour}}, 1},
		"afterCompaction":       {Restore{AfterCompaction: "pray"}, 1},
		"negative timeout":      {Restore{Timeout: &metav1.Duration{Duration: -1}}, 1},
	} {
		if got := test.spec.Validate(nil); len(got) != test.problems {
			t.Errorf("%s: %v", name, got)
		}
	}
	zero := 0
	if got := (&Snapshot{Keep: &zero}).Validate(nil); len(got) != 1 {
		t.Errorf("keep 0: %v", got)
	}
}

func ExampleRestore_Judge() {
	result := (&Restore{Level: rungServe}).Judge(told(rungServe, time.Hour, nil).Record(), climbtest.Step)
	fmt.Println(result.Verdict, result.Evidence.Reached, *result.Evidence.RTOSeconds)
	// Output: pass serve 3
}
