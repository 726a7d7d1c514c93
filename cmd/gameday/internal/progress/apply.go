package progress

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gameday.dev/gameday/internal/journal"
)

// apply takes an event in and says in a line what it means, or nothing. Events
// it does not know and payloads it cannot read are passed over: they are for
// the judges, who are stricter.
func (m *model) apply(event journal.Event) string {
	switch {
	case event.Step != "":
		return prefix(event.Step, m.applyStep(event))
	case event.Check != "":
		return prefix(event.Check, m.applyCheck(event))
	default:
		return m.applyRun(event)
	}
}

func prefix(name, line string) string {
	if line == "" {
		return ""
	}
	return name + ": " + line
}

func (m *model) applyRun(event journal.Event) string {
	switch event.Kind {
	case journal.RunStarted:
		info := payload[journal.RunInfo](event)
		m.begin(event, info)
		return fmt.Sprintf("%s on %s, seed %d (times are UTC)", info.Scenario, info.Cluster, info.Seed)
	case journal.RunBaseline:
		baseline := payload[journal.Baseline](event)
		if baseline.Healthy {
			m.enter("running", event.Time)
			m.notice = ""
			return "baseline: every check holds"
		}
		m.notice = "baseline not healthy"
		for _, name := range slices.Sorted(maps.Keys(baseline.Findings)) {
			m.check(name).latest = baseline.Findings[name]
			m.notice += "; " + name + ": " + baseline.Findings[name]
		}
		return m.notice
	case journal.StepProgress: // of no step: the run waits for a lock, or tidies up
		m.notice = payload[journal.Progress](event).Message
		return m.notice
	case journal.RunAborting:
		m.enter("aborting", event.Time)
		reason := payload[journal.Reason](event)
		m.notice = prefix("aborting", or(reason.Reason, or(reason.Cause, "no reason recorded")))
		return m.notice
	case journal.RunSettling:
		m.enter("settling", event.Time)
		return "every fault is over; waiting for recovery"
	case journal.RunFinished:
		m.enter("finished", event.Time)
		m.over = true
		return m.finish(payload[journal.RunEnd](event))
	}
	return ""
}

func (m *model) finish(end journal.RunEnd) string {
	switch {
	case !end.Undone:
		m.notice = "finished, NOT everything is undone"
	case end.Refused != "":
		// The report, which follows, has the hints.
		reason, _, _ := strings.Cut(end.Refused, "\nhint: ")
		m.notice = "refused: " + reason
	case end.Interrupted:
		m.notice = "interrupted, everything undone"
	default:
		return "finished, everything undone"
	}
	return m.notice
}

func (m *model) applyStep(event journal.Event) string {
	s := m.step // of a name, made when it is first mentioned
	name := event.Step
	known := func(s *step, line string) string { s.latest = line; return line }
	switch event.Kind {
	case journal.StepPlanned:
		return known(s(name), plannedLine(payload[journal.Planned](event)))
	case journal.StepInjecting:
		m.enter("running", event.Time)
		s(name).do("injecting", event.Time)
		return "injecting"
	case journal.StepProgress:
		line := payload[journal.Progress](event).Message
		if line == s(name).latest {
			return "" // said already
		}
		return known(s(name), line)
	case journal.StepInjected:
		s(name).do("", event.Time)
		outcome := payload[journal.Outcome](event)
		s(name).state, s(name).match = outcome.State, outcome.Expected
		known(s(name), outcome.Summary)
		return outcomeWord(outcome) + ": " + outcome.Summary
	case journal.StepHolding:
		s(name).do("holding", event.Time)
		seconds := payload[journal.Hold](event).Seconds
		return "holding for " + time.Duration(seconds*float64(time.Second)).String()
	case journal.StepHeld:
		s(name).do("", event.Time)
	case journal.StepUndoing:
		s(name).do("undoing", event.Time)
		return "undoing"
	case journal.StepUndone:
		s(name).do("", event.Time)
		undone := payload[journal.Undone](event)
		s(name).notDone = !undone.OK
		if !undone.OK {
			return known(s(name), "NOT UNDONE: "+or(undone.Left, "what is left is not recorded"))
		}
		return prefix("undone", undone.Summary)
	case journal.StepSettled:
		settled := payload[journal.Settled](event)
		if settled.Recovered && settled.Summary != "" {
			s(name).latest += "; " + settled.Summary
		}
		if settled.Recovered {
			return prefix("whole again", settled.Summary)
		}
		return known(s(name), prefix("not whole again", or(settled.Summary, "what is missing is not recorded")))
	case journal.StepSkipped:
		s(name).do("", event.Time)
		s(name).state = journal.Skipped
		return prefix("skipped", known(s(name), payload[journal.Reason](event).Reason))
	}
	return ""
}

func outcomeWord(outcome journal.Outcome) string {
	switch {
	case outcome.State == journal.Blocked && outcome.Expected:
		return "blocked as expected"
	case outcome.State == journal.Failed || outcome.Expected:
		return string(outcome.State)
	default:
		return string(outcome.State) + ", which was not expected"
	}
}

func plannedLine(planned journal.Planned) string {
	const named = 3
	var names []string
	for i, target := range planned.Targets {
		if i == named {
			names = append(names, fmt.Sprintf("and %d more", len(planned.Targets)-named))
			break
		}
		names = append(names, target.String())
	}
	line := planned.Experiment
	if len(names) > 0 {
		line += " of " + strings.Join(names, ", ")
	}
	for _, warning := range planned.Warnings {
		line += "; warning: " + warning
	}
	return line
}

func (m *model) applyCheck(event journal.Event) string {
	switch {
	case event.Kind == journal.ObserverStarted:
		c := m.check(event.Check)
		c.state, c.blind = "watching", false
		return "watching"
	case event.Kind == journal.ObserverFailed:
		c := m.check(event.Check)
		c.state, c.blind = prefix("sees nothing", or(payload[journal.Reason](event).Reason, "no reason recorded")), true
		c.latest = ""
		return c.state
	case strings.HasSuffix(event.Kind, ".progress"):
		c, line := m.check(event.Check), payload[journal.Progress](event).Message
		if line == c.latest {
			return ""
		}
		c.latest = line
		return line
	}
	return ""
}

func payload[T any](event journal.Event) T {
	var out T
	_ = event.Decode(&out)
	return out
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
