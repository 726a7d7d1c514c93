package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// conductCase names the test case of the run itself.
const conductCase = "run"

// JUnit writes the report as CI systems read it: a suite for the scenario, a
// case for each step and check, and one for the run itself, so that the suite
// is green exactly when the exit code is 0. Fail is a failure, inconclusive an
// error, and characters that XML cannot hold become U+FFFD.
func JUnit(w io.Writer, r Report) error {
	suite := suiteOf(r)
	data, err := xml.MarshalIndent(junitSuites{
		Name: "gameday", Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors,
		Time: suite.Time, Suites: []junitSuite{suite},
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding JUnit report: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, data)
	return err
}

// The elements and their order are those of the schema that Jenkins publishes,
// which others understand as well.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Time     string       `xml:"time,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Hostname   string          `xml:"hostname,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name      string       `xml:"name,attr"`
	Classname string       `xml:"classname,attr"`
	Time      string       `xml:"time,attr"`
	Skipped   *junitReason `xml:"skipped"`
	Error     *junitReason `xml:"error"`
	Failure   *junitReason `xml:"failure"`
	SystemOut string       `xml:"system-out,omitempty"`
}

type junitReason struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func suiteOf(r Report) junitSuite {
	suite := junitSuite{
		Name: r.Scenario, Time: seconds(r.DurationSeconds), Hostname: r.Host,
		Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05"), // the schema knows no zone
		Properties: []junitProperty{
			{"run", r.Run}, {"cluster", r.Cluster}, {"seed", strconv.FormatInt(r.Seed, 10)},
			{"kubernetes", r.Kubernetes}, {"gameday", r.Gameday},
			{"verdict", r.Verdict.String()}, {"exitCode", strconv.Itoa(r.ExitCode)},
		},
	}
	for _, step := range r.Steps {
		finding := verify.Finding{Verdict: step.Verdict, Summary: step.Summary, Details: step.Details, Hints: step.Hints}
		c := caseOf(r.Scenario+".steps", step.Name, finding)
		c.Time = seconds(step.Ended.Sub(step.Started).Seconds())
		if step.State == journal.Skipped {
			// The case of the run is in error for it; this one is not a second error.
			c.Error, c.Skipped = nil, &junitReason{Message: step.Summary}
		}
		if step.Settled != nil && step.Settled.Summary != "" {
			c.SystemOut = strings.TrimPrefix(c.SystemOut+"\n"+step.Settled.Summary, "\n")
		}
		suite.add(c)
	}
	for _, check := range r.Checks {
		c := caseOf(r.Scenario+".checks", check.Name, check.Finding)
		if r.Refused != "" && check.Verdict == verify.Inconclusive {
			c.Error, c.Skipped = nil, &junitReason{Message: "the run was refused"}
		}
		suite.add(c)
	}
	conduct := r.conduct()
	conduct.Hints = r.Hints
	suite.add(caseOf(r.Scenario, conductCase, conduct))
	return suite
}

func caseOf(class, name string, finding verify.Finding) junitCase {
	lines := []string{finding.Summary}
	lines = append(lines, finding.Details...)
	for _, hint := range finding.Hints {
		lines = append(lines, "hint: "+hint)
	}
	all := strings.Join(lines, "\n")
	c := junitCase{Name: name, Classname: class, Time: "0.000", SystemOut: all}
	reason := &junitReason{Type: finding.Verdict.String(), Message: finding.Summary, Text: all}
	switch finding.Verdict {
	case verify.Pass:
	case verify.Fail:
		c.Failure = reason
	default:
		c.Error = reason
	}
	return c
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func seconds(s float64) string { return strconv.FormatFloat(max(s, 0), 'f', 3, 64) }
