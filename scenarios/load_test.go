package scenarios

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// TestProblems reads every file of testdata/problems, each wrong in its own
// way. A first line "# --set name=value" is passed as --set.
func TestProblems(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source := Source{Name: filepath.Base(file), Data: data}
			loaded, err := Load([]Source{source}, setIn(data))
			var problems *LoadError
			if !errors.As(err, &problems) || loaded != nil {
				t.Fatalf("got %d scenarios and error %v, want a *LoadError alone", len(loaded), err)
			}
			checkGolden(t, strings.TrimSuffix(file, ".yaml")+".golden", err.Error()+"\n")
			checkPlaces(t, source, problems)
		})
	}
}

func setIn(data []byte) map[string]string {
	set := map[string]string{}
	for line := range bytes.Lines(data) {
		argument, ok := strings.CutPrefix(strings.TrimSpace(string(line)), "# --set ")
		if !ok {
			break
		}
		name, value, _ := strings.Cut(argument, "=")
		set[name] = value
	}
	return set
}

func checkGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("problems changed; -update writes them anew (-want +got):\n%s", diff)
	}
}

// checkPlaces holds every problem to a place inside its file, in order.
func checkPlaces(t *testing.T, source Source, problems *LoadError) {
	t.Helper()
	if len(problems.Problems) == 0 {
		t.Fatal("an error without a problem")
	}
	lines := strings.Split(string(source.Data), "\n")
	last := Problem{}
	for _, problem := range problems.Problems {
		if problem.Message == "" {
			t.Errorf("a problem without a message: %+v", problem)
		}
		if problem.File == "--set" {
			continue
		}
		if problem.Line < 1 || problem.Line > len(lines) || problem.Column < 1 || problem.Column > len(lines[problem.Line-1])+1 {
			t.Errorf("outside the file: %s", problem)
		}
		if problem.Line < last.Line || problem.Line == last.Line && problem.Column < last.Column {
			t.Errorf("out of order: %s\nafter: %s", problem, last)
		}
		last = problem
	}
}

func TestPastLimitsAlone(t *testing.T) {
	for file, want := range map[string]bool{"past-limits": true, "values": false} {
		data, err := os.ReadFile("testdata/problems/" + file + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		_, err = Load([]Source{{Name: file, Data: data}}, nil)
		var problems *LoadError
		if !errors.As(err, &problems) || problems.PastLimits() != want {
			t.Errorf("%s: past limits alone is not %t: %v", file, want, err)
		}
	}
}

func TestEverything(t *testing.T) {
	data, err := os.ReadFile("testdata/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := Load([]Source{{Name: "-", Data: data}}, map[string]string{"count": "50%", "seed": "7"})
	if err != nil {
		t.Fatal(err)
	}
	first, second := loaded[0], loaded[1]
	var faults []string
	for step := range first.Faults() {
		faults = append(faults, step.Name+" "+step.Kind())
		if step.Experiment() == nil {
			t.Errorf("step %s has no experiment", step.Name)
		}
	}
	for _, test := range []struct {
		what      string
		got, want any
	}{
		{"documents", len(loaded), 2},
		{"parameter in a name", first.Metadata.Name, "all-of-shop"},
		{"parameter as a number", *first.Spec.Seed, int64(7)},
		{"parameter as a percent", first.Spec.Steps[0].PodKill.Count.String(), "50%"},
		{"number that stays text", first.Spec.Checks[1].Alerts.Expect[0].Labels["tier"], "1"},
		{"escape", first.Spec.Description, "costs ${namespace}, $5 and $$"},
		{"alias", first.Spec.Steps[1].Parallel[0].PodKill.Selector, "app=web"},
		{"faults", faults, []string{"kill podKill", "a podKill", "b podKill", "drain nodeDrain"}},
		{"group", first.Spec.Steps[1].Kind(), KindParallel},
		{"timeout", first.Timeout(), time.Hour},
		{"default timeout", second.Timeout(), DefaultTimeout},
		{"limits", first.Spec.Limits.ForExperiments().MaxNodes, 2},
		{"default limits", second.Spec.Limits.ForExperiments().MaxNodes, 1},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.what, diff)
		}
	}
}

func TestProblemsOfAllFiles(t *testing.T) {
	_, err := Load([]Source{{Name: "z.yaml", Data: []byte("kind: X")}, {Name: "a.yaml"}}, map[string]string{"b": "c"})
	var problems *LoadError
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	var files []string
	for _, problem := range problems.Problems {
		files = append(files, problem.File)
	}
	if got := slices.Compact(files); !cmp.Equal(got, []string{"z.yaml", "a.yaml", "--set"}) {
		t.Errorf("problems of %v", got)
	}
}

func TestTooLarge(t *testing.T) {
	_, err := Load([]Source{{Name: "big.yaml", Data: bytes.Repeat([]byte("#"), MaxFileSize+1)}}, nil)
	if err == nil || !strings.Contains(err.Error(), "larger than 1048576 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"podKill", "nodeDrain", "parallel", "hold", "name"}
	for name, want := range map[string]string{
		"podKil": "podKill", "PODKILL": "podKill", "kill": "", "paralell": "parallel",
		"nmae": "name", "x": "", "": "", "nodedrian": "nodeDrain", "hodl": "hold",
	} {
		if got, _ := nearest(name, known); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}
