package backup

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// Climb is what a record says of one proof: the rungs that were tried and what
// became known of the backup. What is asked of it is each proof's own.
type Climb struct {
	// What is climbed with: "snapshot", "backup"; for people.
	What string
	// Rungs are those that were tried, by name.
	Rungs map[string]Rung
	// Order is how they were tried.
	Order []Rung
	Found Found

	ladder   []string
	disaster time.Time
	// outcome is how the climb ended; nil when the record does not have it.
	outcome *journal.Outcome
	// doubts are what no climb writes: a rung told of twice or out of order.
	doubts []string
}

// ReadClimb collects the events of a step. ladder is every rung of its kind in
// the order of climbing; a rung that is none of them is below the first.
func ReadClimb(record *journal.Record, step, what string, ladder []string) (Climb, error) {
	c := Climb{
		What: what, ladder: ladder, Rungs: map[string]Rung{},
		Found: Found{Facts: map[string]string{}, Counts: map[string]int64{}},
	}
	for event := range record.All() {
		if event.Step != step {
			continue
		}
		switch event.Kind {
		case EventDisaster:
			var disaster Disaster
			if err := event.Decode(&disaster); err != nil {
				return c, err
			}
			c.disaster = disaster.At
		case EventFound:
			var found Found
			if err := event.Decode(&found); err != nil {
				return c, err
			}
			if !found.At.IsZero() {
				c.Found.At, c.Found.AtSource, c.Found.Weak = found.At, found.AtSource, found.Weak
			}
			maps.Copy(c.Found.Facts, found.Facts)
			maps.Copy(c.Found.Counts, found.Counts)
		case EventRung:
			var rung Rung
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
func (c *Climb) add(rung Rung) {
	place := func(name string) int { return slices.Index(c.ladder, name) }
	before, twice := c.Rungs[rung.Name]
	switch {
	case twice:
		c.doubts = append(c.doubts, "rung "+rung.Name+" is recorded twice")
		rung.Verdict = verify.Worse(before.Verdict, rung.Verdict) // the worse one counts
	case len(c.Order) > 0 && place(rung.Name) <= place(c.Order[len(c.Order)-1].Name):
		c.doubts = append(c.doubts, "rung "+rung.Name+" is recorded out of order")
	case c.outcome != nil:
		c.doubts = append(c.doubts, "rung "+rung.Name+" is recorded after the end of the climb")
	}
	if rung.Verdict == verify.Pass && rung.ProblemCount > 0 {
		c.doubts = append(c.doubts, "rung "+rung.Name+" holds and has problems")
	}
	c.Rungs[rung.Name] = rung
	c.Order = append(c.Order, rung)
}

// Evidence begins what an auditor is shown.
func (c Climb) Evidence(required []string, objectives Objectives) Evidence {
	return Evidence{
		Required: required[len(required)-1], Rungs: c.Order,
		ObjectiveRPOSeconds: Seconds(objectives.RPO), ObjectiveRTOSeconds: Seconds(objectives.RTO),
		Backup: c.Found.Facts, Counts: c.Found.Counts,
	}
}

// Reach finds the rung reached: all up to it hold.
func (c Climb) Reach(required []string, evidence *Evidence) verify.Finding {
	for i, name := range required {
		rung, tried := c.Rungs[name]
		if tried && rung.Verdict == verify.Pass {
			evidence.Reached = name
			continue
		}
		where := fmt.Sprintf("rung %d of %d, %s", i+1, len(required), name)
		if !tried {
			return verify.Finding{Summary: where + ", was not tried"}
		}
		finding := verify.Finding{Verdict: rung.Verdict, Summary: where + ": " + rung.Summary, Details: details(rung), Hints: rung.Hints}
		c.further(required[i+1:], &finding)
		return finding
	}
	last := c.Rungs[evidence.Reached]
	finding := verify.Finding{Verdict: verify.Pass, Summary: fmt.Sprintf("rung %d of %d, %s: %s", len(required), len(required), evidence.Reached, last.Summary), Details: last.notes()}
	for _, name := range required {
		finding.Hints = append(finding.Hints, c.Rungs[name].Hints...)
	}
	return finding
}

// further tells of rungs that were climbed past one that does not hold; a
// failure there is the worse news.
func (c Climb) further(names []string, finding *verify.Finding) {
	for _, name := range names {
		rung, tried := c.Rungs[name]
		if !tried {
			continue
		}
		if rung.Verdict == verify.Fail { // named, it is worth more than what it was found by
			Worsen(finding, verify.Fail, name+": "+rung.Summary, details(rung)...)
			continue
		}
		finding.Details = append(finding.Details, name+": "+rung.Summary)
		finding.Details = append(finding.Details, rung.notes()...)
	}
}

// Worsen takes a piece of news into a finding, a worse one first.
func Worsen(finding *verify.Finding, verdict verify.Verdict, summary string, details ...string) {
	if verify.Worse(finding.Verdict, verdict) != finding.Verdict || finding.Summary == "" {
		details = append(details, finding.Summary)
		finding.Summary = summary
		finding.Details = append(details, finding.Details...)
	} else {
		finding.Details = append(finding.Details, append([]string{summary}, details...)...)
	}
	finding.Verdict = verify.Worse(finding.Verdict, verdict)
}

// details are the problems of a rung, how many more there were, and its notes.
func details(rung Rung) []string {
	said := func(problem string) bool { return strings.Contains(rung.Summary, problem) }
	lines := slices.DeleteFunc(slices.Clone(rung.Problems), said)
	if more := rung.ProblemCount - int64(len(rung.Problems)); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return append(lines, rung.notes()...)
}

// notes are those of a rung, as a report has them.
func (r Rung) notes() []string {
	lines := make([]string, len(r.Notes))
	for i, note := range r.Notes {
		lines[i] = "note: " + note
	}
	return lines
}

// Told is what a rung that holds says below the last one's summary.
func (r Rung) Told() []string {
	return slices.Concat([]string{r.Name + ": " + r.Summary}, r.Problems, r.notes())
}

// Doubt keeps a record that is cut or was tampered with from passing. It comes last.
func (c Climb) Doubt(finding *verify.Finding) {
	if finding.Verdict != verify.Pass {
		return
	}
	switch {
	case c.outcome == nil:
		Worsen(finding, verify.Inconclusive, "the record ends too early to tell")
	case c.outcome.State != journal.Done:
		Worsen(finding, verify.Inconclusive, "the record contradicts itself: the climb ended "+string(c.outcome.State))
	case len(c.doubts) > 0:
		Worsen(finding, verify.Inconclusive, "the record contradicts itself: "+c.doubts[0])
	}
}

// RecoveryPoint holds the age of the backup against its objective. readable says
// that its content could be read at all: the claimed age of what could not is no news.
func (c Climb) RecoveryPoint(objective *metav1.Duration, readable bool, evidence *Evidence, finding *verify.Finding) {
	if c.Found.At.IsZero() || c.disaster.IsZero() {
		if objective != nil {
			Worsen(finding, verify.Inconclusive, "RPO cannot be told: the age of the "+c.What+" is not known")
		}
		return
	}
	age := c.disaster.Sub(c.Found.At)
	if age < -clocksApart {
		Worsen(finding, verify.Inconclusive, fmt.Sprintf("RPO cannot be told: the %s's content (%s) is from after the disaster", c.What, c.Found.AtSource))
		return
	}
	age = max(age, 0)
	words := fmt.Sprintf("RPO %s (%s)", round(age), c.Found.AtSource)
	if !c.Found.Weak {
		seconds := age.Seconds()
		evidence.RPOSeconds = &seconds
	}
	switch {
	case c.Found.Weak && objective == nil && !readable:
	case c.Found.Weak && objective != nil:
		Worsen(finding, verify.Inconclusive, fmt.Sprintf("RPO cannot be told: the content does not say its age, and %s is no evidence", c.Found.AtSource))
	case objective == nil:
		finding.Details = append(finding.Details, words)
	case age > objective.Duration:
		Worsen(finding, verify.Fail, fmt.Sprintf("%s, objective %s missed", words, objective.Duration))
	default:
		finding.Details = append(finding.Details, fmt.Sprintf("%s of %s", words, objective.Duration))
	}
}

// RecoveryTime adds up what a real recovery would have spent on the rungs named,
// and holds it against its objective. Without the rungs of serving there is no
// recovery whose time could be told.
func (c Climb) RecoveryTime(rungs, serving []string, objective *metav1.Duration, evidence *Evidence, finding *verify.Finding) {
	total, served := 0.0, len(serving) > 0
	for _, name := range serving {
		served = served && c.Rungs[name].RecoverySeconds > 0
	}
	if !served {
		if objective != nil {
			Worsen(finding, verify.Inconclusive, "RTO cannot be told: nothing served")
		}
		return
	}
	var parts []string
	for _, name := range rungs {
		for _, phase := range c.Rungs[name].phases() {
			total += phase.Seconds
			parts = append(parts, fmt.Sprintf("%s %s", phase.Name, round(time.Duration(phase.Seconds*float64(time.Second)))))
			evidence.RTOPhases = append(evidence.RTOPhases, phase)
		}
	}
	evidence.RTOSeconds = &total
	took := time.Duration(total * float64(time.Second))
	words := fmt.Sprintf("RTO %s (%s)", round(took), strings.Join(parts, ", "))
	switch {
	case objective == nil:
		finding.Details = append(finding.Details, words)
	case took > objective.Duration:
		Worsen(finding, verify.Fail, fmt.Sprintf("%s, objective %s missed", words, objective.Duration))
	default:
		finding.Details = append(finding.Details, fmt.Sprintf("%s of %s", words, objective.Duration))
	}
}

// clocksApart is how far the clock that dates a backup, a node's perhaps, may be ahead of
// the one that dates the disaster.
const clocksApart = 2 * time.Minute

func round(d time.Duration) time.Duration {
	if d > 10*time.Second {
		return d.Round(time.Second)
	}
	return d.Round(10 * time.Millisecond)
}
