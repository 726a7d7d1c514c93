package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/etcd/scratch"
)

// restore is rung 3: into a data directory of its own, on a copy. The member
// that rung 4 asks for begins to serve in the same process.
func (c *climb) restore(ctx context.Context) backup.Rung {
	member, err := scratch.Start(ctx, c.env.Machine.Program, c.file, c.plan.Home.join("member"), func() {})
	if err == nil {
		c.member = member
		found := backup.Held("restored to a scratch member")
		found.Seconds, found.RecoverySeconds = member.RestoreTook.Seconds(), member.RestoreTook.Seconds()
		return found
	}
	if !errors.As(err, &c.failure) {
		return backup.Unsure("%v", err)
	}
	if c.failure.Stage == rungServe {
		return backup.Held("restored to a scratch member")
	}
	return blame(c.failure)
}

func blame(failure *scratch.Failure) backup.Rung {
	if failure.Machine {
		return backup.Unsure("%v", failure.Err)
	}
	return backup.Broken("%v", failure.Err)
}

// serve is rung 4: the member answers, at the snapshot's revision.
func (c *climb) serve(ctx context.Context) backup.Rung {
	if c.member == nil {
		return blame(c.failure)
	}
	client, err := c.member.Client()
	if err != nil {
		return backup.Unsure("connecting to the scratch member: %v", err)
	}
	c.restored = client
	status, err := client.Status(ctx, c.member.Endpoint)
	if died := c.member.Err(); died != nil {
		return blame(died)
	}
	if err != nil {
		return backup.Unsure("the scratch member does not answer: %v", err)
	}
	if status.Header.Revision != c.inspection.Revision {
		return backup.Broken("the scratch member serves revision %d, the snapshot holds %d", status.Header.Revision, c.inspection.Revision)
	}
	found := backup.Held("serves revision %d", status.Header.Revision)
	if len(c.member.Alarms) > 0 {
		found.Problems = append(found.Problems, fmt.Sprintf("the snapshot holds alarm %s, which was turned off on the copy: disarm it after a real restore", strings.Join(c.member.Alarms, ", ")))
	}
	if c.member.Auth {
		found.Problems = append(found.Problems, "the snapshot holds etcd users of its own: a real restore needs their passwords")
	}
	found.Seconds, found.RecoverySeconds = c.member.ServeTook.Seconds(), c.member.ServeTook.Seconds()
	return found
}

// whileServing ends with the scratch member, whose readers would otherwise wait
// for it to come back.
func (c *climb) whileServing(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-c.member.Ended():
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
