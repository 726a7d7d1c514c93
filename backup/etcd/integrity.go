package etcd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/etcd/scratch"
	"gameday.dev/gameday/internal/snapshots"
)

// tolerance is how far apart the time in a file's name and that of its content
// may be before it is worth a word: clocks differ, and a quiet cluster writes
// a Lease every ten seconds at the least.
const tolerance = 10 * time.Minute

// checkIntegrity is rung 2: the bytes are those that etcd sent, the database is whole, and it is this cluster's.
func (c *climb) checkIntegrity(ctx context.Context) backup.Rung {
	inspection, err := c.inspect(ctx)
	if err != nil {
		return backup.Unsure("inspecting %s: %v", c.file, err)
	}
	c.inspection = inspection
	c.Found(backup.Found{Facts: inspectedFacts(c.file, inspection)})
	if c.known == nil {
		c.Found(ageOf(c.file, inspection))
	}
	ids, err := c.cluster.IDs(ctx)
	if err != nil {
		return backup.Unsure("asking the living cluster for its members: %v", err)
	}
	return whole(c.file, inspection, ids)
}

// inspect spares a file that was hashed while it was streamed the second time.
func (c *climb) inspect(ctx context.Context) (scratch.Inspection, error) {
	if c.known != nil {
		return scratch.InspectKnown(ctx, c.env.Machine.Program, c.file, c.env.Etcd.Prefix, *c.known)
	}
	return scratch.Inspect(ctx, c.env.Machine.Program, c.file, c.env.Etcd.Prefix)
}

// whole says what is wrong with a file, the most telling first.
func whole(file string, inspection scratch.Inspection, live []uint64) backup.Rung {
	var problems []string
	if inspection.Size == 0 {
		problems = append(problems, "is an empty file")
	}
	sidecar, err := snapshots.ReadSidecar(file)
	switch {
	case err != nil:
		problems = append(problems, err.Error())
	case sidecar != "" && sidecar != inspection.SHA256:
		problems = append(problems, "is not the file that was stored: its sha256 is not the one in "+snapshots.SidecarOf(file)+": swapped or changed since")
	}
	switch inspection.Trailer {
	case scratch.TrailerOK:
	case scratch.TrailerMissing:
		problems = append(problems, "has no sha256 at its end: cut short, or a copy of a data directory and no snapshot")
	default:
		problems = append(problems, "does not have the content that etcd sent: the sha256 at its end is another")
	}
	problems = append(problems, inspection.Damage...)
	if slices.Contains(inspection.Alarms, "CORRUPT") {
		problems = append(problems, "was taken while etcd had raised alarm CORRUPT: its members held different data")
	}
	if len(problems) == 0 && inspection.Revisions == 0 {
		problems = append(problems, "is empty: no key was ever written to it")
	}
	if len(problems) == 0 && len(inspection.MemberIDs) == 0 {
		problems = append(problems, "names no member of the cluster it was taken from, as etcd always does")
	}
	if len(inspection.MemberIDs) > 0 && len(live) > 0 && !slices.ContainsFunc(inspection.MemberIDs, func(id uint64) bool { return slices.Contains(live, id) }) {
		problems = append(problems, fmt.Sprintf("is of another cluster: its members are %s, none of which is in the living one; or it is older than the living cluster's own restore",
			strings.Join(inspection.MemberNames, ", ")))
	}
	if inspection.Torn != "" {
		problems = append(problems, "is not as etcd wrote it: something was taken out, "+inspection.Torn)
	}
	if len(problems) > 0 {
		found := backup.Broken("the snapshot %s", problems[0])
		found.Problems = problems
		found.ProblemCount = max(int64(len(problems)), inspection.DamageCount)
		return found
	}
	found := backup.Held("sha256 as etcd sent it, %d pages whole, revision %d, %d entries", inspection.Pages, inspection.Revision, inspection.Revisions)
	if sidecar == "" {
		found.Problems = append(found.Problems, "no sha256 is stored beside it: a swap for another snapshot would not be noticed")
	}
	return found
}

// ageOf says up to when the snapshot holds what happened: by its content, or
// else by what its file claims.
func ageOf(file string, inspection scratch.Inspection) backup.Found {
	stat, err := statFile(file)
	if err != nil {
		return backup.Found{}
	}
	taken := snapshots.TakenAt(file)
	switch {
	case !inspection.ContentAt.IsZero():
		found := backup.Found{At: inspection.ContentAt.UTC(), AtSource: inspection.ContentSource}
		if !taken.IsZero() && taken.Sub(inspection.ContentAt) > tolerance {
			found.AtSource += fmt.Sprintf(", though its name says %s: swapped, or taken from a cluster at rest", taken.UTC().Format(time.RFC3339))
		}
		return found
	case !taken.IsZero():
		return backup.Found{At: taken.UTC(), AtSource: "the file's name", Weak: true}
	default:
		return backup.Found{At: stat.Modified.UTC(), AtSource: "the file's modification time", Weak: true}
	}
}

func inspectedFacts(file string, inspection scratch.Inspection) map[string]string {
	facts := map[string]string{
		"file": file, "sha256": inspection.SHA256, "size": strconv.FormatInt(inspection.Size, 10),
		"revision": strconv.FormatInt(inspection.Revision, 10), "entries": strconv.FormatInt(inspection.Revisions, 10),
		"pages": strconv.FormatInt(inspection.Pages, 10), "members": strings.Join(inspection.MemberNames, ", "),
	}
	if inspection.Version != "" {
		facts["storageVersion"] = inspection.Version
	}
	return facts
}
