package progress

import (
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify/report"
)

// model is what is known of a run at this moment.
type model struct {
	info    journal.RunInfo
	started time.Time
	phase   string // what the run itself is doing
	since   time.Time
	notice  string // why it aborts, was refused, …
	over    bool
	steps   []*step
	checks  []*check
}

// step is one step as it goes on.
type step struct {
	name    string
	doing   string // injecting, holding, undoing; empty when nothing is going on
	since   time.Time
	latest  string // the last line about it
	state   journal.State
	match   bool // the state is the one the scenario expects
	notDone bool // undoing it failed
}

// check is one check as far as it can be known without judging it.
type check struct {
	name   string
	state  string
	latest string
	blind  bool
}

func newModel() *model { return &model{phase: "starting"} }

func (m *model) begin(event journal.Event, info journal.RunInfo) {
	m.info, m.started = info, event.Time
	m.enter("watching the baseline", event.Time)
	outline := report.ReadOutline(info.Document)
	for _, part := range outline.Steps {
		m.step(part.Name)
	}
	for _, part := range outline.Checks {
		m.check(part.Name)
	}
}

func (m *model) enter(phase string, at time.Time) { m.phase, m.since = phase, at }

func (m *model) step(name string) *step {
	for _, s := range m.steps {
		if s.name == name {
			return s
		}
	}
	s := &step{name: name}
	m.steps = append(m.steps, s)
	return s
}

func (m *model) check(name string) *check {
	for _, c := range m.checks {
		if c.name == name {
			return c
		}
	}
	c := &check{name: name, state: "not watching yet"}
	m.checks = append(m.checks, c)
	return c
}

func (s *step) do(what string, at time.Time) { s.doing, s.since = what, at }

// activities are what goes on: "drain holding for 40s", or what the run itself does.
func (m *model) activities(now time.Time) []string {
	var going []string
	for _, s := range m.steps {
		if s.doing != "" {
			line := s.name + " " + s.doing + " for " + elapsed(s.since, now)
			if s.latest != "" {
				line += " (" + s.latest + ")"
			}
			going = append(going, line)
		}
	}
	if len(going) == 0 && !m.over {
		going = append(going, m.phase+" for "+elapsed(m.since, now))
	}
	return going
}

func elapsed(since, now time.Time) string {
	if since.IsZero() {
		return "0s"
	}
	return max(now.Sub(since), 0).Truncate(time.Second).String()
}
