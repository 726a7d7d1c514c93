package velero

import (
	"strings"
	"testing"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/objects"
)

// said is all that a rung tells people.
func said(found backup.Rung) string {
	lines := append([]string{found.Summary}, found.Problems...)
	return strings.Join(append(append(lines, found.Notes...), found.Hints...), "\n")
}

func TestWeigh(t *testing.T) {
	note := objects.Difference{Kind: "ConfigMap", Name: "settings", What: objects.Reference, Path: "data.home"}
	whole := objects.Result{
		Objects: 7, Equal: 4, Counts: map[string]objects.Count{"configmaps": {Wanted: 4}, "widgets.example.com": {Wanted: 2}, "clusterroles": {Wanted: 1}},
	}
	for name, test := range map[string]struct {
		change  func(*objects.Result)
		verdict verify.Verdict
		says    []string
		not     string
	}{
		"whole": {func(*objects.Result) {}, verify.Pass, []string{"4 objects in 3 resources came back"}, "not restored"},
		"left out": {func(r *objects.Result) {
			r.NotRestored = map[string]string{"widgets.example.com": "the step excludes it", "clusterroles": "of the cluster"}
			r.NotBackedUp = map[string]int64{"the backup's own label selector": 3, "events come and go": 40}
		}, verify.Pass, []string{
			"; 3 objects of the backup are not restored; 43 living objects are none of the backup's",
			"not restored: widgets.example.com (2): the step excludes it", "none of the backup's: 3 living objects: the backup's own label selector",
		}, "more"},
		"left out beside a loss": {func(r *objects.Result) {
			r.NotRestored = map[string]string{"widgets.example.com": "the step excludes it"}
			r.LossCount = 1
		}, verify.Fail, []string{"1 losses", "; 2 objects of the backup are not restored", "the step excludes it"}, ""},
		"many notes": {func(r *objects.Result) {
			for range 6 {
				r.Notes = append(r.Notes, note)
			}
			r.NoteCount = 60
		}, verify.Pass, []string{"ConfigMap settings: data.home", "and 55 more like these"}, ""},
		"few notes": {func(r *objects.Result) { r.Notes, r.NoteCount = []objects.Difference{note}, 1 }, verify.Pass, []string{"data.home"}, "more"},
		"nothing":   {func(r *objects.Result) { r.Equal = 0 }, verify.Inconclusive, []string{"no object could be compared"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			result := whole
			test.change(&result)
			found := weigh(result)
			if found.Verdict != test.verdict || found.Verdict == verify.Pass && found.ProblemCount > 0 {
				t.Errorf("%s, %d problems", found.Verdict, found.ProblemCount)
			}
			for _, want := range test.says {
				if !strings.Contains(said(found), want) {
					t.Errorf("nothing is said of %q: %s", want, said(found))
				}
			}
			if test.not != "" && strings.Contains(said(found), test.not) {
				t.Errorf("%q is said: %s", test.not, said(found))
			}
		})
	}
}
