package e2e

import (
	"strings"
	"testing"
)

func TestInput(t *testing.T) {
	const header = "apiVersion: gameday.dev/v1alpha1\nkind: Scenario\nmetadata: {name: drill}\n"
	cases := []struct {
		says, text string
		hears      []string
	}{
		{"an unknown field is found with its place and the nearest name",
			header + "spec:\n  limits: {namespaces: [a]}\n  checks: []\n  stesp: []\n", []string{"bad.yaml:7:", "stesp", "steps"}},
		{"every problem is reported at once",
			header + "spec:\n  limits: {namespaces: [a]}\n  checks: [{name: c, availability: {workload: {kind: Sandcastle, namespace: a, name: w}}}]\n" +
				"  steps: [{name: k, podKill: {namespace: b, selector: app=w, count: 0}}]\n", []string{"Sandcastle", `"b" is not in spec.limits.namespaces`, "count"}},
		{"a document of another kind is told apart", strings.Replace(header, "Scenario", "Symphony", 1) + "spec: {}\n", []string{"Symphony"}},
		{"an empty file is no scenario", "", []string{"bad.yaml"}},
		{"text that is no YAML is told with its line", "apiVersion: [\n", []string{"bad.yaml:"}},
		{"binary is no scenario", "\x00\x01\x7fELF", []string{"bad.yaml"}},
	}
	for _, c := range cases {
		prove(t, promise{says: c.says, proof: func(s *scene) {
			file := s.write("bad.yaml", c.text)
			for _, command := range [][]string{{"validate", file}, {"plan", file, "--context", s.context}, {"run", file, "--yes", "--context", s.context}} {
				s.gameday(command...).exits(2).says(c.hears...)
			}
			s.wantNothingLeft()
		}})
	}
	prove(t,
		promise{says: "a file that is not there, an unknown flag and an unknown command are wrong input", proof: func(s *scene) {
			s.gameday("run", "nowhere.yaml", "--yes", "--context", s.context).exits(2).says("nowhere.yaml")
			s.gameday("run").exits(2).says("hint:")
			s.gameday("run", "--no-such-flag").exits(2).says("no-such-flag")
			s.gameday("rnu").exits(2).says("rnu")
			s.gameday("judge", "nowhere").exits(2).says("nowhere")
			s.gameday("recover", "no/where", "--yes", "--context", s.context).exits(2)
		}},
		promise{says: "a parameter that is unknown or missing is wrong input", proof: func(s *scene) {
			file := s.file(kill(""))
			s.gameday("validate", file, "--set", "ns=a", "--set", "node=b").exits(0)
			s.gameday("validate", file, "--set", "node=b").exits(2).says("ns")
			s.gameday("validate", file, "--set", "ns=a", "--set", "node=b", "--set", "nose=c").exits(2).says("nose")
		}},
		promise{says: "a damaged record is refused with its line", proof: func(s *scene) {
			s.gameday("judge", s.write("journal.jsonl", "not a record\n")).exits(2).says("journal.jsonl:1")
		}},
		promise{says: "a document too large is refused, not read to its end", proof: func(s *scene) {
			s.gameday("validate", "/dev/zero").exits(2)
		}},
	)
}
