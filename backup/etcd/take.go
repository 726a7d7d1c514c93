package etcd

import (
	"context"
	"strconv"
	"time"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/etcd/live"
	"gameday.dev/gameday/backup/etcd/scratch"
)

// takeSnapshot is rung 1: a snapshot, streamed from a member, or the file there is.
func (c *climb) takeSnapshot(ctx context.Context) backup.Rung {
	if c.file != "" {
		found := backup.Held("%s", c.file)
		found.Notes = c.DisasterNow(ctx, c.env.Client)
		return found
	}
	taken, err := c.cluster.Save(ctx, c.cluster.Members(ctx), c.plan.Home.join("snapshot.db"), c.streamed())
	if err != nil {
		return backup.Unsure("no snapshot could be taken: %v", err)
	}
	c.file, c.known = taken.Path, &scratch.KnownHash{SHA256: taken.SHA256, Size: taken.Size, TrailerOK: true}
	c.Found(backup.Found{At: taken.At.UTC(), AtSource: "taken by this run", Facts: factsOf(taken)})
	c.Disaster(time.Now())
	return tookSnapshot(taken)
}

func tookSnapshot(taken live.Taken) backup.Rung {
	found := backup.Held("%s from %s in %s", backup.Bytes(taken.Size), taken.Member, taken.Took.Round(time.Millisecond))
	found.Problems = taken.Attempts
	return found
}

func factsOf(taken live.Taken) map[string]string {
	role := "follower"
	if taken.Leader {
		role = "leader"
	}
	return map[string]string{"member": taken.Member, "memberRole": role, "etcd": taken.Version, "sha256": taken.SHA256, "size": strconv.FormatInt(taken.Size, 10)}
}

// streamed tells of a long stream now and then.
func (c *climb) streamed() func(int64) {
	return backup.NowAndThen(func(n int64) { c.Progress("%s streamed", backup.Bytes(n)) })
}
