package velero

import (
	"errors"
	"strings"
	"testing"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/velero/files"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/verify"
)

// all is everything that a rung says.
func all(found backup.Rung) string {
	return strings.Join(append(append([]string{found.Summary}, found.Problems...), found.Notes...), "\n")
}

func TestWeighFiles(t *testing.T) {
	volume := files.Volume{Pod: kube.PodRef{Namespace: "drill", Name: "db-0"}, Name: "data"}
	pair := func(change func(*files.PairResult)) files.Result {
		one := files.PairResult{Source: volume, Restored: volume, Tally: files.Tally{Equal: 7, EqualBytes: 1500}}
		if change != nil {
			change(&one)
		}
		return files.Result{Pairs: []files.PairResult{one}}
	}
	differs := func(label files.Label) func(*files.PairResult) {
		return func(p *files.PairResult) {
			p.Different = map[files.Label]map[files.Kind]int64{label: {files.Content: 1}}
			p.Differences = map[files.Label][]*files.Difference{label: {{Path: "a", Kinds: []files.Kind{files.Content}, Why: "because"}}}
		}
	}
	for name, test := range map[string]struct {
		result files.Result
		err    error
		want   verify.Verdict
		says   string
	}{
		"equal":               {pair(nil), nil, verify.Pass, "7 files and directories of 1 volumes are equal, 1.5 kB by sha256"},
		"drift":               {pair(differs(files.Drift)), nil, verify.Pass, "1 have changed at the original since"},
		"loss":                {pair(differs(files.Loss)), nil, verify.Fail, "data of drill/db-0: a: content (because)"},
		"loss, then an error": {pair(differs(files.Loss)), errors.New("cut"), verify.Fail, "1 losses"},
		"unclear":             {pair(differs(files.Unclear)), nil, verify.Inconclusive, "a: content"},
		"an error":            {pair(nil), errors.New("no reader"), verify.Inconclusive, "no reader"},
		"not comparable":      {pair(func(p *files.PairResult) { p.NotComparable = "a block volume" }), nil, verify.Inconclusive, "a block volume"},
		"only drift": {pair(func(p *files.PairResult) {
			p.InSource.Files, p.InRestored.Files, p.Equal = 1000, 1000, 1
			p.Different = map[files.Label]map[files.Kind]int64{files.Drift: {files.Content: 1000}}
		}), nil, verify.Inconclusive, "data of drill/db-0: of 1000 files, and 1000 in the copy, none has the same content"},
		"only drift, of owners": {pair(func(p *files.PairResult) {
			p.InSource.Files, p.InRestored.Files, p.Equal, p.SameContent = 1000, 1000, 1, 1000
			p.Different = map[files.Label]map[files.Kind]int64{files.Drift: {files.Owner: 1000}}
		}), nil, verify.Pass, "1000 have changed at the original since"},
		"only drift, since it was empty": {pair(func(p *files.PairResult) {
			p.Empty, p.InSource.Files, p.Equal = true, 3, 1
			p.Different = map[files.Label]map[files.Kind]int64{files.Drift: {files.Missing: 3}}
		}), nil, verify.Pass, "3 have changed"},
		"nothing compared": {files.Result{}, nil, verify.Inconclusive, "no file could be compared"},
		"let pass by rule": {pair(func(p *files.PairResult) {
			p.Ignored = map[files.Rule]int64{files.CacheDirectories: 4, files.HardLinks: 2}
		}), nil, verify.Pass, "6 differences in files are let pass:\n4 by rule cacheDirectories: in directories with a CACHEDIR.TAG, not backed up\n2 by rule hardLinks"},
		"counted too": {pair(func(p *files.PairResult) { p.Ignored = map[files.Rule]int64{files.Holes: 3} }), nil, verify.Pass, "3 differences are expected by rule"},
		"noted": {pair(func(p *files.PairResult) { p.Notes = []string{"the source has .kopiaignore files"} }), nil, verify.Pass,
			"data of drill/db-0: the source has .kopiaignore files"},
		"noted beside a loss": {pair(func(p *files.PairResult) { differs(files.Loss)(p); p.Notes = []string{"the clock is another's"} }), nil, verify.Fail,
			"the clock is another's"},
	} {
		t.Run(name, func(t *testing.T) {
			got := weighFiles(test.result, test.err)
			if got.Verdict != test.want || !strings.Contains(all(got), test.says) {
				t.Errorf("got %s: %s", got.Verdict, all(got))
			}
			if got.Verdict == verify.Pass && got.ProblemCount > 0 {
				t.Error("it passes and has problems")
			}
		})
	}
}

// A file that differs in two ways is one problem, and what is named is not counted again.
func TestProblemsOfFilesAreCountedOnce(t *testing.T) {
	result := files.Result{Pairs: []files.PairResult{{
		Tally: files.Tally{Different: map[files.Label]map[files.Kind]int64{
			files.Loss: {files.Content: 1, files.ModTime: 1, files.Missing: 8}, files.Unclear: {files.Unreadable: 5},
		}},
		Differences: map[files.Label][]*files.Difference{
			files.Loss:    {{Path: "a", Kinds: []files.Kind{files.Content, files.ModTime}}, {Path: "b", Kinds: []files.Kind{files.Missing}, Below: 7}},
			files.Unclear: {{Path: "c", Kinds: []files.Kind{files.Unreadable}}},
		},
	}}}
	if got := weighFiles(result, nil); len(got.Problems) != 3 || got.ProblemCount != 3+4 {
		t.Errorf("%d problems are named, and %d counted: %s", len(got.Problems), got.ProblemCount, all(got))
	}
}

func TestNoNameIgnoresNoVolume(t *testing.T) {
	c := &climb{spec: &Restore{Volumes: Volumes{Ignore: []string{"", "tmp"}}}}
	for volume, ignored := range map[volumeBackup]bool{
		{Claim: "data"}: false, {Pod: "db-0", Name: "host"}: false, {Pod: "db-0", Name: "tmp"}: true, {Claim: "tmp"}: true,
	} {
		if got := c.isIgnored(volume); got != ignored {
			t.Errorf("%s is ignored: %v", volume, got)
		}
	}
}
