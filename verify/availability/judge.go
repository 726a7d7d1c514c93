package availability

import (
	"fmt"
	"strings"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// Baseline finds whether the workload is whole before anything is broken: at
// its full count, not only above its floor.
func (c *check) Baseline(record *journal.Record) verify.Finding {
	h, err := readHistory(record, c.name)
	if err != nil {
		return verify.Finding{Summary: "cannot tell: " + err.Error()}
	}
	if h.failure != "" || len(h.counts) == 0 {
		return h.nothingSeen(c)
	}
	last := h.counts[len(h.counts)-1]
	now := segment{countEvent: last}
	if h.blindAt(h.judged.to) {
		return verify.Finding{Summary: fmt.Sprintf("cannot tell how many of %s are available", c.spec.Workload)}
	}
	if now.full() && !now.below() {
		return verify.Finding{Verdict: verify.Pass, Summary: fmt.Sprintf("%s available, floor is %d", ratio(last), last.Floor)}
	}
	return verify.Finding{
		Verdict: verify.Fail,
		Summary: fmt.Sprintf("%s available, floor is %d", ratio(last), last.Floor),
		Hints: []string{fmt.Sprintf("%s must be whole before anything is broken: kubectl -n %s describe %s %s",
			c.spec.Workload.Name, c.spec.Workload.Namespace, strings.ToLower(c.spec.Workload.Kind), c.spec.Workload.Name)},
	}
}

// Judge finds whether the floor held and the full count came back.
func (c *check) Judge(record *journal.Record) verify.Finding {
	h, err := readHistory(record, c.name)
	if err != nil {
		return verify.Finding{Summary: "cannot tell: " + err.Error()}
	}
	if len(h.counts) == 0 {
		return h.nothingSeen(c)
	}
	segments := h.segments()
	j := judgement{
		check: c, history: h, segments: segments,
		outages: outages(segments), recovery: h.recover(segments, c.recoverWithin()),
	}
	j.bounds = h.bound(segments, j.outages)
	return j.finding()
}

// nothingSeen is the finding of a record without a single count.
func (h *history) nothingSeen(c *check) verify.Finding {
	why := fmt.Sprintf("nothing was seen of %s", c.spec.Workload)
	if h.failure != "" {
		why = "the observer failed: " + h.failure
	}
	return verify.Finding{Summary: "cannot tell: " + why, Details: h.notes}
}

// judgement is what a finding is made of.
type judgement struct {
	*history
	check    *check
	segments []segment
	outages  []outage
	bounds   bounds
	recovery recovery
}

// floor judges the floor alone.
func (j *judgement) floor() verify.Verdict {
	allowed := j.check.allowance()
	switch {
	// Certainty is of the sum; and a floor that may not be broken at all is
	// broken by the first count below it, whatever its length.
	case j.bounds.certain > allowed || allowed == 0 && j.bounds.seen:
		return verify.Fail
	case j.bounds.possible > allowed:
		return verify.Inconclusive
	default:
		return verify.Pass
	}
}

// recovered judges the recovery alone.
func (j *judgement) recovered() verify.Verdict {
	switch j.recovery.state {
	case recovered:
		return verify.Pass
	case late:
		return verify.Fail
	default:
		return verify.Inconclusive
	}
}

func (j *judgement) finding() verify.Finding {
	floor, recovery := j.floor(), j.recovered()
	finding := verify.Finding{
		Verdict:   verify.Worse(floor, recovery),
		Breached:  floor == verify.Fail,
		Intervals: j.intervals(),
		Hints:     j.hints(floor),
	}
	if j.recovery.state == notYet && !j.ended && j.Finished.IsZero() {
		finding.Open, finding.OpenUntil = true, j.recovery.deadline
	}
	switch {
	case floor == verify.Fail:
		finding.Summary = j.brokenFloor()
	case recovery == verify.Fail:
		finding.Summary = j.tooLate()
	case floor == verify.Inconclusive:
		finding.Summary = j.doubt()
	case recovery == verify.Inconclusive:
		finding.Summary = fmt.Sprintf("cannot tell: %s; %s", j.heldFloor(), j.unrecovered())
	default:
		finding.Summary = fmt.Sprintf("%s; %s", j.heldFloor(), j.back())
	}
	finding.Details = j.details(floor)
	return finding
}

// intervals are the outages and the gaps, for drawing.
func (j *judgement) intervals() []verify.Interval {
	var intervals []verify.Interval
	for _, o := range j.outages {
		intervals = append(intervals, verify.Interval{
			From: o.from, To: o.to, Level: "bad", Cause: j.explain(o),
			What: fmt.Sprintf("available %s, floor is %d", ratio(o.lowest), o.lowest.Floor),
		})
	}
	for _, gap := range j.gaps {
		if inside := (stretch{gap.From, gap.To}).within(j.judged); inside.length() > 0 {
			what := gap.Watch + " seen late"
			if gap.Lost {
				what = gap.Watch + " not seen"
			}
			intervals = append(intervals, verify.Interval{From: inside.from, To: inside.to, What: what, Cause: gap.Why, Level: "gap"})
		}
	}
	return intervals
}
