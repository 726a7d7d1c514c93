package etcdsnapshots

import (
	"fmt"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/backups/internal/age"
	"gameday.dev/gameday/verify/backups/internal/looks"
)

// lookedAt is what the looks are at, in a sentence.
const lookedAt = "the snapshots"

// Baseline finds whether the directory could be looked at. What is in it is not
// asked: other checks must hold before anything is broken, since a fault on top
// of a fault proves nothing, but no fault changes what this one is about. A
// cluster without young backups is what a game day is to report as failed, with
// all the rest it found, not what it refuses to look at.
func (c *check) Baseline(record *journal.Record) verify.Finding {
	look, why := looks.First[lookEvent](record, c.name, eventLook, lookedAt)
	if why != "" {
		return verify.Finding{Summary: "cannot tell: " + why}
	}
	return verify.Finding{Verdict: verify.Pass, Summary: look.describe(), Details: look.details()}
}

// Judge finds whether the newest snapshot was young enough and enough were
// there when the run had ended. While it goes on nothing is told: a snapshot
// may come in time.
func (c *check) Judge(record *journal.Record) verify.Finding {
	look, why := looks.Last[lookEvent](record, c.name, eventLook, lookedAt)
	if why != "" {
		return verify.Finding{Summary: "cannot tell: " + why}
	}
	return c.weigh(look)
}

// weigh judges the last look.
func (c *check) weigh(look lookEvent) verify.Finding {
	finding := verify.Finding{Details: look.details()}
	limit := c.spec.MaxAge.Duration
	finding.Verdict = verify.Fail
	switch {
	case limit <= 0:
		return verify.Finding{Summary: "cannot tell: the check sets no maxAge"}
	case look.Counted == 0:
		finding.Summary = look.describe()
	case look.At.Sub(when(look.Newest[0])) > limit:
		finding.Summary = fmt.Sprintf("%s; %s is the most", look.describe(), age.AsWritten(limit))
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
