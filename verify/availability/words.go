package availability

import (
	"fmt"
	"strings"
	"time"

	"gameday.dev/gameday/verify"
)

// mostLines bounds each kind of background in the details.
const mostLines = 20

// docs is where users read on.
const docs = "See docs/checks/availability.md"

// ratio is a count as people say it: 1 of 3.
func ratio(count countEvent) string { return fmt.Sprintf("%d of %d", count.Available, count.Desired) }

// lowest is the segment with the fewest replicas.
func (j *judgement) lowest() countEvent {
	var lowest countEvent
	for i, s := range j.segments {
		if i == 0 || s.Available < lowest.Available {
			lowest = s.countEvent
		}
	}
	return lowest
}

// allowed says how much of an outage the scenario allows, if any.
func (j *judgement) allowed() string {
	if allowance := j.check.allowance(); allowance > 0 {
		return ", " + human(allowance) + " allowed"
	}
	return ""
}

// brokenFloor is the summary of a failure.
func (j *judgement) brokenFloor() string {
	worst := j.outages[0]
	var sum time.Duration
	for _, o := range j.outages {
		sum += o.length()
		if o.lowest.Available < worst.lowest.Available {
			worst = o
		}
	}
	if len(j.outages) == 1 {
		return fmt.Sprintf("%s available for %s, floor is %d%s", ratio(worst.lowest), span(worst.from, worst.to), worst.lowest.Floor, j.allowed())
	}
	return fmt.Sprintf("below the floor of %d for %s in %d stretches, lowest %s%s",
		worst.lowest.Floor, human(sum), len(j.outages), ratio(worst.lowest), j.allowed())
}

// heldFloor is the summary's first half when the promise was kept.
func (j *judgement) heldFloor() string {
	lowest := j.lowest()
	if len(j.outages) == 0 {
		return fmt.Sprintf("never below %d of %d (lowest %d)", lowest.Floor, lowest.Desired, lowest.Available)
	}
	return fmt.Sprintf("below %d of %d for %s%s (lowest %d)",
		lowest.Floor, lowest.Desired, human(j.bounds.certain), j.allowed(), lowest.Available)
}

// back is the summary's second half: how long the full count took.
func (j *judgement) back() string {
	if j.recovery.took == 0 {
		return "full count there when the faults ended"
	}
	return fmt.Sprintf("full count back %s after the faults ended", human(j.recovery.took))
}

// doubt is the summary when a gap may hide an outage.
func (j *judgement) doubt() string {
	may := fmt.Sprintf("the floor may have been broken for up to %s%s", human(j.bounds.possible), j.allowed())
	if len(j.bounds.doubtful) > 1 {
		return fmt.Sprintf("cannot tell: %d gaps in what was seen of the pods; %s", len(j.bounds.doubtful), may)
	}
	gap := j.bounds.doubtful[0]
	how := "seen late"
	if gap.Lost {
		how = "not seen"
	}
	return fmt.Sprintf("cannot tell: pods %s for %s; %s", how, span(gap.From, gap.To), may)
}

// tooLate is the summary when only the recovery failed.
func (j *judgement) tooLate() string {
	text := fmt.Sprintf("%s available %s after the faults ended, no more was allowed for the full count",
		ratio(j.recovery.last), human(j.check.recoverWithin()))
	for _, s := range j.segments {
		if s.full() && s.from.After(j.recovery.deadline) {
			return fmt.Sprintf("%s; it was back after %s", text, human(s.from.Sub(j.Settling)))
		}
	}
	return text
}

// missing names the pods that the recovery waited for.
func (j *judgement) missing() string {
	at := j.recovery.deadline
	if at.After(j.judged.to) {
		at = j.judged.to
	}
	var causes []string
	for _, l := range j.lossesUntil(at.Add(1)) {
		causes = append(causes, j.cause(l))
	}
	return listed(causes, "; ")
}

// unrecovered says why recovery can't be told.
func (j *judgement) unrecovered() string {
	switch {
	case j.Settling.IsZero() && (j.ended || !j.Finished.IsZero()):
		return "the record ends before the faults did"
	case j.Settling.IsZero():
		return "the faults are not over"
	case j.cut && j.failure != "":
		return "the observer failed: " + j.failure
	case j.cut:
		return "the observation was cut short at " + j.judged.to.UTC().Format(stamp)
	case j.blindAt(earlier(j.judged.to, j.recovery.deadline)):
		return "whether the full count came back was not seen"
	default:
		return fmt.Sprintf("%s available %s after the faults ended, %s allowed",
			ratio(j.recovery.last), human(j.judged.to.Sub(j.Settling)), human(j.check.recoverWithin()))
	}
}

// details are the lines below the summary, the most telling first.
func (j *judgement) details(floor verify.Verdict) []string {
	var lines []string
	for i, o := range j.outages {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %d more stretches below the floor", len(j.outages)-most))
			break
		}
		line := "lost to: " + j.explain(o)
		if len(j.outages) > 1 || floor != verify.Fail {
			line = fmt.Sprintf("%s available for %s, lost to: %s", ratio(o.lowest), span(o.from, o.to), j.explain(o))
		}
		lines = append(lines, line)
	}
	for i, gap := range j.bounds.doubtful {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %s more of this kind", plural(len(j.bounds.doubtful)-most, "gap")))
			break
		}
		line := "gap: " + gap.String()
		if floor == verify.Pass {
			line += "; even an outage of all of it is allowed"
		}
		lines = append(lines, line)
	}
	if floor == verify.Fail && j.bounds.possible > j.bounds.certain {
		lines = append(lines, fmt.Sprintf("for %s at the least, %s at the most", human(j.bounds.certain), human(j.bounds.possible)))
	}
	switch {
	case floor == verify.Fail && j.recovery.state == recovered:
		lines = append(lines, j.back())
	case floor == verify.Fail && j.recovery.state == late:
		lines = append(lines, j.tooLate())
	}
	if missing := j.missing(); missing != "" && j.recovery.state != recovered && !j.Settling.IsZero() {
		lines = append(lines, "still missing: "+missing)
	}
	if n := j.bounds.harmless; n > 0 {
		lines = append(lines, fmt.Sprintf("%s in the watches could not have hidden or shifted an outage", plural(n, "gap")))
	}
	for _, more := range [][]string{j.changes(), j.services(), j.notes} {
		lines = append(lines, more[:min(len(more), mostLines)]...)
		if left := len(more) - mostLines; left > 0 {
			lines = append(lines, fmt.Sprintf("and %s more of this kind", plural(left, "line")))
		}
	}
	return lines
}

// changes tells how the promise itself moved during the run.
func (j *judgement) changes() []string {
	var lines []string
	for i := 1; i < len(j.targets); i++ {
		before, now := j.targets[i-1], j.targets[i]
		var what []string
		if before.Desired != now.Desired {
			what = append(what, fmt.Sprintf("scaled from %d to %d", before.Desired, now.Desired))
		}
		if before.Floor != now.Floor {
			what = append(what, fmt.Sprintf("floor from %d to %d (%s)", before.Floor, now.Floor, now.Source))
		}
		if !before.Gone && now.Gone {
			what = append(what, "workload deleted")
		}
		if len(what) > 0 && j.judged.holds(now.At) {
			lines = append(lines, now.At.Format(stamp)+" "+strings.Join(what, ", "))
		}
	}
	return lines
}

// services tells where a Service sent traffic to other pods than the Ready
// ones. It is for the reader; the verdict is of the pods.
func (j *judgement) services() []string {
	var lines []string
	apart := map[string]endpointsEvent{}
	for _, now := range j.endpoints {
		since, was := apart[now.Service]
		switch {
		case now.Ready != now.Pods && !was:
			apart[now.Service] = now
		case now.Ready == now.Pods && was:
			delete(apart, now.Service)
			if j.judged.holds(since.At) {
				lines = append(lines, fmt.Sprintf("Service %s had %s for %d Ready pods, %s",
					now.Service, plural(since.Ready, "ready endpoint"), since.Pods, span(since.At, now.At)))
			}
		}
	}
	return lines
}

// hints say what would have helped.
func (j *judgement) hints(floor verify.Verdict) []string {
	if floor != verify.Fail || len(j.targets) == 0 {
		return nil
	}
	target, workload := j.targets[len(j.targets)-1], j.check.spec.Workload.Name
	worst := j.outages[0].lowest
	for _, o := range j.outages {
		for _, l := range append(j.lossesIn(o), j.lossesUntil(o.from)...) {
			ours, byUs := j.ours(l)
			evicted := byUs && ours.How == "evicted" || j.learned(l).Disruption == "EvictionByEvictionAPI"
			if !evicted {
				continue
			}
			by := "the eviction"
			if step, ok := j.Step(ours.step); byUs && ok && step.Experiment == "nodeDrain" {
				by = "the drain"
			}
			if len(target.PDBs) == 0 {
				return []string{fmt.Sprintf("%s has no PDB; minAvailable %d would have held %s back. %s", workload, worst.Floor, by, docs)}
			}
			return []string{fmt.Sprintf("PDB %s allowed %s below the floor of %d; minAvailable %d would have held it back. %s",
				strings.Join(target.PDBs, ", "), by, worst.Floor, worst.Floor, docs)}
		}
	}
	return []string{fmt.Sprintf("more replicas, spread over nodes, or maxUnavailableFor if such an outage is acceptable. %s", docs)}
}

// listed joins a few texts and counts the rest.
func listed(texts []string, separator string) string {
	if more := len(texts) - most; more > 0 {
		texts = append(texts[:most:most], fmt.Sprintf("%d more", more))
	}
	return strings.Join(texts, separator)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
