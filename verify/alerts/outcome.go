package alerts

import (
	"time"

	"gameday.dev/gameday/verify"
)

// outcome is what was found of one expectation or one prohibition.
type outcome struct {
	verdict verify.Verdict
	line    string   // for the summary
	details []string // evidence, the most telling first
	hints   []string
	drawn   []verify.Interval
	// until is when the outcome closes by itself; zero when it can change no more.
	until    time.Time
	breached bool
}

func (o *outcome) detail(line string) { o.details = append(o.details, line) }

// worse lowers the verdict, and puts what lowered it in front.
func (o *outcome) worse(verdict verify.Verdict, line string) {
	switch {
	case verdict == verify.Fail && o.verdict != verify.Fail, verdict == verify.Inconclusive && o.verdict == verify.Pass:
		o.verdict, o.line = verdict, line
	default:
		o.detail(line)
	}
}
