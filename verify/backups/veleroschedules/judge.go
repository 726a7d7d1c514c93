package veleroschedules

import (
	"fmt"
	"slices"
	"strings"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/near"
	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/backups/internal/age"
	"gameday.dev/gameday/verify/backups/internal/looks"
)

// Baseline finds whether Velero's resources could be seen. What they say is not
// asked: no fault changes how old the backups are, and a cluster without young
// ones is what a game day is to report as failed, not what it refuses to look at.
func (c *check) Baseline(record *journal.Record) verify.Finding {
	look, why := looks.First[lookEvent](record, c.name, eventLook, lookedAt)
	if why != "" {
		return verify.Finding{Summary: "cannot tell: " + why}
	}
	found := c.weigh(look)
	return verify.Finding{Verdict: verify.Pass, Summary: found.Summary, Details: found.Details}
}

// Judge finds whether every Schedule kept its promise when the run had ended.
// While it goes on nothing is told: a backup may come in time.
func (c *check) Judge(record *journal.Record) verify.Finding {
	look, why := looks.Last[lookEvent](record, c.name, eventLook, lookedAt)
	if why != "" {
		return verify.Finding{Summary: "cannot tell: " + why}
	}
	return c.weigh(look)
}

// weigh judges a look.
func (c *check) weigh(look lookEvent) verify.Finding {
	if c.spec.MaxAge.Duration <= 0 {
		return verify.Finding{Summary: "cannot tell: the check sets no maxAge"}
	}
	var all []*weighed
	asked := false // something is asked of one at least
	for _, schedule := range look.Schedules {
		w := c.weighSchedule(look, schedule)
		all = append(all, w)
		asked = asked || !*schedule.Paused || !slices.Contains(c.spec.AllowPaused, schedule.Name)
	}
	for _, name := range c.spec.Schedules {
		if !slices.ContainsFunc(look.Schedules, func(s scheduleSeen) bool { return s.Name == name }) {
			all = append(all, missing(look, name))
			asked = true
		}
	}
	finding := sum(all)
	finding.Details = append(finding.Details, look.notes()...)
	switch {
	case len(all) == 0:
		finding.Verdict = verify.Fail
		finding.Summary = fmt.Sprintf("no Schedule in namespace %s: nothing is backed up", look.Namespace)
		finding.Hints = []string{"make one: velero schedule create"}
		if len(look.Locations) == 0 {
			finding.Hints = []string{elsewhere}
		}
	case !asked:
		finding.Verdict = verify.Fail
		finding.Summary = "every Schedule is paused: nothing is backed up"
		finding.Hints = append(finding.Hints, "allowPaused is for some Schedules, not for all: velero schedule unpause NAME")
	}
	return finding
}

// elsewhere is what an empty namespace suggests.
const elsewhere = "is Velero in another namespace? Say which by velero.namespace in the Environment"

// missing is what is found of a Schedule that is asked for and not there.
func missing(look lookEvent, name string) *weighed {
	w := &weighed{schedule: scheduleSeen{Name: name}, namespace: look.Namespace}
	w.fail("there is no such Schedule in namespace %s", look.Namespace)
	distance := func(other string) int { return near.Distance(name, other) }
	meant := slices.MinFunc(append(slices.Clone(look.Others), ""), func(a, b string) int { return distance(a) - distance(b) })
	switch {
	case len(look.Locations) == 0:
		w.hint(elsewhere)
	case distance(meant) <= max(2, len(name)/3):
		w.hint("there is a Schedule %s: was that meant?", meant)
	default:
		w.hint("was Schedule %s deleted? Its backups stay until they expire, and no more are made", name)
	}
	return w
}

const (
	// fewDetails is how many Schedules are told of one by one.
	fewDetails = 20
	// fewHints are enough to begin with.
	fewHints = 6
)

// sum makes one finding of those of all Schedules, the worst first.
func sum(all []*weighed) verify.Finding {
	finding := verify.Finding{Verdict: verify.Pass}
	bad := 0
	for _, w := range all {
		finding.Verdict = verify.Worse(finding.Verdict, w.verdict())
		if w.verdict() != verify.Pass {
			bad++
		}
	}
	slices.SortStableFunc(all, func(a, b *weighed) int { return rank(a) - rank(b) })
	finding.Summary = headline(all)
	if bad > 1 {
		finding.Summary += fmt.Sprintf("; %d of %d Schedules are not as they should be", bad, len(all))
	}
	for _, w := range all {
		for _, hint := range w.hints {
			if len(finding.Hints) < fewHints && !slices.Contains(finding.Hints, hint) {
				finding.Hints = append(finding.Hints, hint)
			}
		}
	}
	for i, w := range all {
		if i == fewDetails {
			finding.Details = append(finding.Details, fmt.Sprintf("and %d more Schedules", len(all)-i))
			break
		}
		finding.Details = append(finding.Details, w.lines(i == 0 && (bad > 0 || len(all) == 1))...)
	}
	return finding
}

func rank(w *weighed) int {
	switch w.verdict() {
	case verify.Fail:
		return 0
	case verify.Inconclusive:
		return 1
	default:
		return 2
	}
}

// headline is the worst of what was found.
func headline(all []*weighed) string {
	if len(all) == 0 {
		return ""
	}
	worst := all[0]
	switch {
	case len(worst.fails) > 0:
		return worst.schedule.Name + ": " + worst.fails[0]
	case len(worst.unknown) > 0:
		return fmt.Sprintf("cannot tell: %s: %s", worst.schedule.Name, worst.unknown[0])
	case len(all) == 1:
		return worst.schedule.Name + ": " + worst.state
	}
	oldest := slices.MaxFunc(all, func(a, b *weighed) int { return int(a.age.Seconds() - b.age.Seconds()) })
	return fmt.Sprintf("%d Schedules; the oldest is %s: %s", len(all), oldest.schedule.Name, oldest.state)
}

// lines are the details of one Schedule; what the summary has said is not repeated.
func (w *weighed) lines(said bool) []string {
	all := append(slices.Clone(w.fails), w.unknown...)
	if !slices.ContainsFunc(all, func(text string) bool { return strings.HasPrefix(text, w.state) }) {
		all = append(all, w.state)
	}
	if said {
		all = all[1:]
	}
	var lines []string
	for _, text := range append(all, w.notes...) {
		if text != "" {
			lines = append(lines, w.schedule.Name+": "+text)
		}
	}
	return lines
}

// notes are what a look tells besides the Schedules.
func (l lookEvent) notes() []string {
	var notes []string
	for _, orphan := range l.Orphans {
		notes = append(notes, fmt.Sprintf("%s of a Schedule %s, which is not there: nothing makes them any more", count(orphan.Kept, "backup"), orphan.Name))
	}
	apart := l.At.Sub(l.ServerTime)
	switch {
	case l.ClockUnknown != "":
		notes = append(notes, "ages are told by this machine's clock, not by the API server's: "+l.ClockUnknown)
	case apart.Abs() > clocksApart:
		notes = append(notes, fmt.Sprintf("the clocks of this machine and of the API server are %s apart; ages are told by the latter", age.Human(apart.Abs())))
	}
	return notes
}
