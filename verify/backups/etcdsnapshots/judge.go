package backups

import (
	"fmt"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// Baseline finds whether the directory could be looked at. What is in it is not
// asked: other checks must hold before anything is broken, since a fault on top
// of a fault proves nothing, but no fault changes what this one is about. A
// cluster without young backups is what a game day is to report as failed, with
// all the rest it found, not what it refuses to look at.
func (c *check) Baseline(record *journal.Record) verify.Finding {
	h, err := readHistory(record, c.name)
	switch {
	case err != nil:
		return verify.Finding{Summary: "cannot tell: " + err.Error()}
	case h.failure != "":
		return verify.Finding{Summary: "cannot tell: the observer failed: " + h.failure}
	case h.first == nil:
		return verify.Finding{Summary: "cannot tell: nobody has looked at the snapshots yet"}
	case h.first.Problem != "":
		return verify.Finding{Summary: "cannot tell: " + h.first.Problem}
	}
	if why := h.first.damaged(); why != "" {
		return verify.Finding{Summary: "cannot tell: " + why}
	}
	return verify.Finding{Verdict: verify.Pass, Summary: h.first.describe(), Details: h.first.details()}
}

// Judge finds whether the newest snapshot was young enough and enough were
// there when the run had ended. While it goes on nothing is told: a snapshot
// may come in time.
func (c *check) Judge(record *journal.Record) verify.Finding {
	h, err := readHistory(record, c.name)
	switch {
	case err != nil:
		return verify.Finding{Summary: "cannot tell: " + err.Error()}
	case h.failure != "":
		return verify.Finding{Summary: "cannot tell: the observer failed: " + h.failure}
	case h.final == nil:
		return verify.Finding{Summary: "cannot tell: nobody looked at the snapshots at the end of the run"}
	case h.final.At.Before(h.timeline.Settling):
		return verify.Finding{Summary: "cannot tell: the last look at the snapshots was before the faults had ended"}
	case h.final.Problem != "":
		return verify.Finding{Summary: "cannot tell: " + h.final.Problem}
	}
	if why := h.final.damaged(); why != "" {
		return verify.Finding{Summary: "cannot tell: " + why}
	}
	return c.weigh(*h.final)
}

// weigh judges the last look.
func (c *check) weigh(look lookEvent) verify.Finding {
	finding := verify.Finding{Details: look.details()}
	limit := c.spec.EtcdSnapshots.MaxAge.Duration
	finding.Verdict = verify.Fail
	switch {
	case limit <= 0:
		return verify.Finding{Summary: "cannot tell: the check sets no maxAge"}
	case look.Counted == 0:
		finding.Summary = look.describe()
	case look.At.Sub(when(look.Newest[0])) > limit:
		finding.Summary = fmt.Sprintf("%s; %s is the most", look.describe(), asWritten(limit))
	case look.Counted < c.minKept():
		finding.Summary = fmt.Sprintf("%s; %d are the least", look.describe(), c.minKept())
	default:
		finding.Verdict = verify.Pass
		finding.Summary = look.describe()
	}
	if finding.Verdict == verify.Fail {
		finding.Hints = hints(look, limit)
	}
	return finding
}

// hints are where to look when snapshots stop.
func hints(look lookEvent, limit time.Duration) []string {
	if look.Counted == 0 || look.At.Sub(when(look.Newest[0])) > limit {
		if len(look.Newest) > 0 && look.At.Sub(look.Newest[0].Modified) <= limit {
			return []string{"the file is young and what it holds is not: look at which etcd it was taken from, and whether it was copied"}
		}
		return []string{"look at the job that takes snapshots: its last runs, its log, and the space in " + look.Directory}
	}
	return []string{"look at what removes old snapshots from " + look.Directory}
}
