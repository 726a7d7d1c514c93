package etcd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// Judge says whether the rung asked for was reached, the objectives were met,
// and the living members agreed.
func (s *Restore) Judge(record *journal.Record, step string) backup.Result {
	objectives := s.Objectives
	if objectives == nil {
		objectives = &backup.Objectives{}
	}
	return judge(record, step, rungs()[:slices.Index(rungs(), s.level())+1], *objectives)
}

// Judge says whether a whole snapshot was stored and the living members agreed.
func (s *Snapshot) Judge(record *journal.Record, step string) backup.Result {
	return judge(record, step, []string{RungSnapshot, RungIntegrity}, backup.Objectives{})
}

// climbed is what a record says of one climb.
type climbed struct {
	rungs    map[string]backup.Rung
	order    []backup.Rung
	found    backup.Found
	disaster time.Time
	// outcome is how the climb ended; nil when the record does not have it.
	outcome *journal.Outcome
	// doubts are what no climb writes: a rung told of twice or out of order.
	doubts []string
}

func judge(record *journal.Record, step string, required []string, objectives backup.Objectives) backup.Result {
	climbed, err := read(record, step)
	if err != nil {
		return backup.Result{Finding: verify.Finding{Summary: "the record cannot be read: " + err.Error()}}
	}
	evidence := backup.Evidence{
		Required: required[len(required)-1], Rungs: climbed.order,
		ObjectiveRPOSeconds: backup.Seconds(objectives.RPO), ObjectiveRTOSeconds: backup.Seconds(objectives.RTO),
		Backup: climbed.found.Facts, Counts: climbed.found.Counts,
	}
	finding := climbed.ladder(required, &evidence)
	climbed.members(&finding)
	climbed.recoveryPoint(objectives.RPO, &evidence, &finding)
	climbed.recoveryTime(required, objectives.RTO, &evidence, &finding)
	climbed.doubt(&finding)
	return backup.Result{Finding: finding, Evidence: evidence}
}

// read collects the events of the step.
func read(record *journal.Record, step string) (climbed, error) {
	c := climbed{rungs: map[string]backup.Rung{}, found: backup.Found{Facts: map[string]string{}, Counts: map[string]int64{}}}
	for event := range record.All() {
		if event.Step != step {
			continue
		}
		switch event.Kind {
		case backup.EventDisaster:
			var disaster backup.Disaster
			if err := event.Decode(&disaster); err != nil {
				return c, err
			}
			c.disaster = disaster.At
		case backup.EventFound:
			var found backup.Found
			if err := event.Decode(&found); err != nil {
				return c, err
			}
			if !found.At.IsZero() {
				c.found.At, c.found.AtSource, c.found.Weak = found.At, found.AtSource, found.Weak
			}
			maps.Copy(c.found.Facts, found.Facts)
			maps.Copy(c.found.Counts, found.Counts)
		case backup.EventRung:
			var rung backup.Rung
			if err := event.Decode(&rung); err != nil {
				return c, err
			}
			c.add(rung)
		case journal.StepInjected:
			c.outcome = new(journal.Outcome)
			if err := event.Decode(c.outcome); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

// add takes in a rung, and notes what no climb would have written.
func (c *climbed) add(rung backup.Rung) {
	place := func(name string) int { return slices.Index(rungs(), name) } // -1, below all, for the members
	before, twice := c.rungs[rung.Name]
	switch {
	case twice:
		c.doubts = append(c.doubts, "rung "+rung.Name+" is recorded twice")
		rung.Verdict = verify.Worse(before.Verdict, rung.Verdict) // the worse one counts
	case len(c.order) > 0 && place(rung.Name) <= place(c.order[len(c.order)-1].Name):
		c.doubts = append(c.doubts, "rung "+rung.Name+" is recorded out of order")
	case c.outcome != nil:
		c.doubts = append(c.doubts, "rung "+rung.Name+" is recorded after the end of the climb")
	}
	if rung.Verdict == verify.Pass && rung.ProblemCount > 0 {
		c.doubts = append(c.doubts, "rung "+rung.Name+" holds and has problems")
	}
	c.rungs[rung.Name] = rung
	c.order = append(c.order, rung)
}

// doubt keeps a record that is cut or was tampered with from passing.
func (c climbed) doubt(finding *verify.Finding) {
	if finding.Verdict != verify.Pass {
		return
	}
	switch {
	case c.outcome == nil:
		add(finding, verify.Inconclusive, "the record ends too early to tell")
	case c.outcome.State != journal.Done:
		add(finding, verify.Inconclusive, "the record contradicts itself: the climb ended "+string(c.outcome.State))
	case len(c.doubts) > 0:
		add(finding, verify.Inconclusive, "the record contradicts itself: "+c.doubts[0])
	}
}

// ladder finds the rung reached: all up to it hold.
func (c climbed) ladder(required []string, evidence *backup.Evidence) verify.Finding {
	for i, name := range required {
		rung, tried := c.rungs[name]
		if tried && rung.Verdict == verify.Pass {
			evidence.Reached = name
			continue
		}
		where := fmt.Sprintf("rung %d of %d, %s", i+1, len(required), name)
		if !tried {
			return verify.Finding{Summary: where + ", was not tried"}
		}
		finding := verify.Finding{Verdict: rung.Verdict, Summary: where + ": " + rung.Summary, Details: problems(rung), Hints: rung.Hints}
		c.further(required[i+1:], &finding)
		return finding
	}
	last := c.rungs[evidence.Reached]
	finding := verify.Finding{Verdict: verify.Pass, Summary: fmt.Sprintf("rung %d of %d, %s: %s", len(required), len(required), evidence.Reached, last.Summary)}
	for _, name := range required {
		finding.Hints = append(finding.Hints, c.rungs[name].Hints...)
	}
	return finding
}

// further tells of rungs that were climbed past one that could not be told; a
// failure there is the worse news.
func (c climbed) further(names []string, finding *verify.Finding) {
	for _, name := range names {
		rung, tried := c.rungs[name]
		if !tried {
			continue
		}
		if rung.Verdict == verify.Fail { // named, it is worth more than what it was found by
			add(finding, verify.Fail, name+": "+rung.Summary, problems(rung)...)
			continue
		}
		finding.Details = append(finding.Details, name+": "+rung.Summary)
	}
}

// add puts a worse piece of news first.
func add(finding *verify.Finding, verdict verify.Verdict, summary string, details ...string) {
	if verify.Worse(finding.Verdict, verdict) != finding.Verdict || finding.Summary == "" {
		details = append(details, finding.Summary)
		finding.Summary = summary
		finding.Details = append(details, finding.Details...)
	} else {
		finding.Details = append(finding.Details, append([]string{summary}, details...)...)
	}
	finding.Verdict = verify.Worse(finding.Verdict, verdict)
}

// problems are those of a rung, and how many more there were.
func problems(rung backup.Rung) []string {
	said := func(problem string) bool { return strings.Contains(rung.Summary, problem) }
	lines := slices.DeleteFunc(slices.Clone(rung.Problems), said)
	if more := rung.ProblemCount - int64(len(rung.Problems)); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}

// members takes in whether the living members agree. That they could not be
// compared is no finding against the snapshot; that nobody tried is.
func (c climbed) members(finding *verify.Finding) {
	members, tried := c.rungs[RungMembers]
	switch {
	case !tried && finding.Verdict == verify.Pass:
		add(finding, verify.Inconclusive, "the record does not say whether the living members agree")
	case members.Verdict == verify.Fail:
		add(finding, verify.Fail, members.Summary, members.Problems...)
		finding.Hints = append(finding.Hints, members.Hints...)
	case tried:
		finding.Details = append(finding.Details, members.Summary)
	}
}

// recoveryPoint holds the age of the snapshot against its objective.
func (c climbed) recoveryPoint(objective *metav1.Duration, evidence *backup.Evidence, finding *verify.Finding) {
	if c.found.At.IsZero() || c.disaster.IsZero() {
		if objective != nil {
			add(finding, verify.Inconclusive, "RPO cannot be told: the age of the snapshot is not known")
		}
		return
	}
	age := c.disaster.Sub(c.found.At)
	if age < -clocksApart {
		add(finding, verify.Inconclusive, fmt.Sprintf("RPO cannot be told: the snapshot's content (%s) is from after the disaster", c.found.AtSource))
		return
	}
	age = max(age, 0)
	words := fmt.Sprintf("RPO %s (%s)", round(age), c.found.AtSource)
	if !c.found.Weak {
		seconds := age.Seconds()
		evidence.RPOSeconds = &seconds
	}
	switch {
	case c.found.Weak && objective == nil && c.rungs[RungIntegrity].Verdict != verify.Pass:
		// The age of what cannot be read is no news.
	case c.found.Weak && objective != nil:
		add(finding, verify.Inconclusive, fmt.Sprintf("RPO cannot be told: the content does not say its age, and %s is no evidence", c.found.AtSource))
	case objective == nil:
		finding.Details = append(finding.Details, words)
	case age > objective.Duration:
		add(finding, verify.Fail, fmt.Sprintf("%s, objective %s missed", words, objective.Duration))
	default:
		finding.Details = append(finding.Details, fmt.Sprintf("%s of %s", words, objective.Duration))
	}
}

// recoveryTime adds up what a real recovery would have spent, and holds it
// against its objective.
func (c climbed) recoveryTime(required []string, objective *metav1.Duration, evidence *backup.Evidence, finding *verify.Finding) {
	var parts []string
	total, served := 0.0, slices.Contains(required, RungServe)
	for _, name := range []string{RungRestore, RungServe, RungAPIServer} {
		if !slices.Contains(required, name) {
			continue
		}
		rung := c.rungs[name]
		served = served && rung.RecoverySeconds > 0
		total += rung.RecoverySeconds
		parts = append(parts, fmt.Sprintf("%s %s", name, round(time.Duration(rung.RecoverySeconds*float64(time.Second)))))
	}
	if !served {
		if objective != nil {
			add(finding, verify.Inconclusive, "RTO cannot be told: nothing served")
		}
		return
	}
	evidence.RTOSeconds = &total
	took := time.Duration(total * float64(time.Second))
	words := fmt.Sprintf("RTO %s (%s)", round(took), strings.Join(parts, ", "))
	switch {
	case objective == nil:
		finding.Details = append(finding.Details, words)
	case took > objective.Duration:
		add(finding, verify.Fail, fmt.Sprintf("%s, objective %s missed", words, objective.Duration))
	default:
		finding.Details = append(finding.Details, fmt.Sprintf("%s of %s", words, objective.Duration))
	}
}

// clocksApart is how far the clock of a node may be ahead of the runner's.
const clocksApart = 2 * time.Minute

func round(d time.Duration) time.Duration {
	if d > 10*time.Second {
		return d.Round(time.Second)
	}
	return d.Round(10 * time.Millisecond)
}
