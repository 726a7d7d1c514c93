package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"gameday.dev/gameday/verify"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got); go test -update writes it anew:\n%s", path, diff)
	}
}

func TestGolden(t *testing.T) {
	for name := range runs() {
		t.Run(name, func(t *testing.T) {
			report := build(t, name)
			for _, format := range []struct {
				suffix string
				write  func(io.Writer, Report) error
			}{
				{".json", JSON},
				{".xml", JUnit},
				{".txt", func(w io.Writer, r Report) error { return Text(w, r, Options{RunDir: "gameday-runs/r-7kq2"}) }},
			} {
				var out bytes.Buffer
				if err := format.write(&out, report); err != nil {
					t.Fatal(err)
				}
				golden(t, name+format.suffix, out.Bytes())
			}
		})
	}
}

func TestTextNarrowAndColoured(t *testing.T) {
	var out bytes.Buffer
	report := build(t, "fail")
	report.Checks[0].Name = "a-name-longer-than-any-column-could-be-for-it"
	if err := Text(&out, report, Options{Width: 60, RunDir: "gameday-runs/r-7kq2"}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 61 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
	golden(t, "narrow.txt", out.Bytes())
	plain := out.String()
	out.Reset()
	if err := Text(&out, report, Options{Width: 60, RunDir: "gameday-runs/r-7kq2", Color: true}); err != nil {
		t.Fatal(err)
	}
	golden(t, "color.txt", out.Bytes())
	if stripped := strip(out.String()); stripped != plain {
		t.Errorf("colour moves text:\n%s", cmp.Diff(plain, stripped))
	}
}

func strip(s string) string {
	return strings.NewReplacer(bold, "", dim, "", red, "", green, "", yellow, "", reset, "").Replace(s)
}

const hostile = "clear\x1b[2J\x07 bell \xff\x00 \u202egnihtyreve <&]]> é"

func TestTextDoesNotSteerTheTerminal(t *testing.T) {
	report := build(t, "fail")
	report.Scenario, report.Checks[0].Summary, report.Steps[0].Name = hostile, hostile, hostile
	report.Left = []string{hostile}
	var out bytes.Buffer
	if err := Text(&out, report, Options{}); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexAny(out.String(), "\x1b\x07\x00\u202e"); i >= 0 {
		t.Errorf("control character at %d of %q", i, out.String())
	}
}

func TestJUnitIsValidXML(t *testing.T) {
	report := build(t, "fail")
	report.Scenario, report.Checks[0].Summary, report.Steps[0].Name = hostile, hostile, hostile
	var out bytes.Buffer
	if err := JUnit(&out, report); err != nil {
		t.Fatal(err)
	}
	var read junitSuites
	if err := xml.Unmarshal(out.Bytes(), &read); err != nil {
		t.Fatalf("%v in\n%s", err, out.Bytes())
	}
	got := read.Suites[0].Cases[2].Failure.Message
	if want := "clear\ufffd[2J\ufffd bell \ufffd\ufffd \u202egnihtyreve <&]]> é"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}

// The shape that CI systems rely on: which elements stand where, that the
// counts add up, and that only a run that passed is green.
func TestJUnitShape(t *testing.T) {
	children := map[string]string{
		"":           "testsuites",
		"testsuites": "testsuite",
		"testsuite":  "properties testcase",
		"properties": "property",
		"testcase":   "skipped error failure system-out",
	}
	for name := range runs() {
		t.Run(name, func(t *testing.T) {
			report := build(t, name)
			var out bytes.Buffer
			if err := JUnit(&out, report); err != nil {
				t.Fatal(err)
			}
			counted := map[string]int{}
			path := []string{""}
			decoder := xml.NewDecoder(bytes.NewReader(out.Bytes()))
			for {
				token, err := decoder.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				switch token := token.(type) {
				case xml.StartElement:
					parent := path[len(path)-1]
					if !strings.Contains(" "+children[parent]+" ", " "+token.Name.Local+" ") {
						t.Errorf("%s within %q", token.Name.Local, parent)
					}
					counted[token.Name.Local]++
					path = append(path, token.Name.Local)
				case xml.EndElement:
					path = path[:len(path)-1]
				}
			}
			var read junitSuites
			if err := xml.Unmarshal(out.Bytes(), &read); err != nil {
				t.Fatal(err)
			}
			suite := read.Suites[0]
			got := []int{suite.Tests, suite.Failures, suite.Errors, suite.Skipped}
			want := []int{counted["testcase"], counted["failure"], counted["error"], counted["skipped"]}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("counts (-elements +attributes):\n%s", diff)
			}
			if green := suite.Failures+suite.Errors == 0; green != (report.ExitCode == 0) {
				t.Errorf("green: %v with exit code %d", green, report.ExitCode)
			}
		})
	}
}

func TestWriteFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"fail", "pass"} { // the second replaces the first
		report := build(t, name)
		if err := WriteFiles(dir, report); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, JSONFile))
		if err != nil {
			t.Fatal(err)
		}
		var read Report
		if err := json.Unmarshal(data, &read); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(report, read); diff != "" {
			t.Errorf("report.json does not read back (-written +read):\n%s", diff)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%d files left (%v): %v", len(entries), err, entries)
	}
	if err := WriteFiles(filepath.Join(dir, "absent"), build(t, "pass")); err == nil {
		t.Error("wrote into a directory that is not there")
	}
}

func TestYAMLSaysTheSame(t *testing.T) {
	report := build(t, "fail")
	report.Seed = 1<<62 + 1 // more digits than a float holds
	var out bytes.Buffer
	if err := YAML(&out, report); err != nil {
		t.Fatal(err)
	}
	var read Report
	if err := yaml.Unmarshal(out.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(report, read); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

func TestUnknownVerdictIsNoPass(t *testing.T) {
	verdict := verify.Pass
	if err := json.Unmarshal([]byte(`"splendid"`), &verdict); err == nil || verdict != verify.Inconclusive {
		t.Errorf("%v, %v", verdict, err)
	}
}
