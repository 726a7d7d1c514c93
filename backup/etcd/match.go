package etcd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/etcd/walk"
	"gameday.dev/gameday/verify"
)

// match is rung 6: key by key equal to the living cluster at the snapshot's revision.
func (c *climb) match(context.Context) backup.Rung {
	return c.acceptCompaction(matched(c.walked, c.inspection.Revision), c.walked.Match.Compacted > 0)
}

// acceptCompaction makes a comparison with what is left after a compaction as
// good as the scenario says.
func (c *climb) acceptCompaction(found backup.Rung, compacted bool) backup.Rung {
	switch {
	case !compacted || found.Verdict != verify.Pass || c.spec.AfterCompaction == CompareUnchanged:
	case c.known != nil:
		found.Verdict = verify.Inconclusive
		found.Hints = []string{"the living cluster compacted its history while the climb went on: run it again, at another moment"}
	default:
		found.Verdict = verify.Inconclusive
		found.Hints = []string{"use a snapshot of the last five minutes, or accept what can be compared with afterCompaction: compareUnchanged"}
	}
	return found
}

// matched weighs a comparison. After a compaction, a pass is one of what could
// be compared.
func matched(walked walk.Walked, revision int64) backup.Rung {
	match := walked.Match
	differ := match.Different.Count + match.Missing.Count + match.Extra.Count
	all := match.Equal + differ + match.Moved
	switch {
	case match.Wrong != "":
		return backup.Broken("%s", match.Wrong)
	case differ > 0:
		found := backup.Broken("%d of %d keys differ from the living cluster at revision %d: %d other content, %d missing, %d too many",
			differ, all, revision, match.Different.Count, match.Missing.Count, match.Extra.Count)
		found.Problems = slices.Concat(match.Different.First, match.Missing.First, match.Extra.First)
		found.ProblemCount = differ
		return found
	case !match.Compared:
		return backup.Unsure("not compared with the living cluster: %s", match.Why)
	case match.Compacted == 0 && match.Equal == walked.Keys && match.Equal > 0:
		return backup.Held("%d keys equal the living cluster at revision %d", match.Equal, revision)
	case match.Compacted == 0 || match.Equal == 0:
		return backup.Unsure("only %d of %d keys were compared", match.Equal, walked.Keys)
	}
	return backup.Held("the living cluster has compacted revision %d: %d keys that have not changed since are equal, %d have changed or gone and cannot be told%s",
		revision, match.Equal, match.Moved, excludedWords(match.Excluded))
}

func excludedWords(excluded map[string]int64) string {
	if n := sum(excluded); n > 0 {
		return fmt.Sprintf("; %d are left out by rule: %s", n, strings.Join(slices.Sorted(maps.Keys(excluded)), ", "))
	}
	return ""
}
