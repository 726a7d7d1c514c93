package etcd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/etcd/live"
	"gameday.dev/gameday/backup/etcd/objects"
	"gameday.dev/gameday/backup/etcd/scratch"
	"gameday.dev/gameday/backup/etcd/walk"
	"gameday.dev/gameday/verify"
)

// agreement compares the members of the living cluster: a snapshot of one is
// worth little when another holds other data. It is a finding of its own, below
// the first rung.
func (c *climb) agreement(ctx context.Context) backup.Rung {
	began := time.Now()
	found := compareMembers(ctx, c.cluster)
	found.Name, found.Seconds = RungMembers, time.Since(began).Seconds()
	return found
}

func compareMembers(ctx context.Context, cluster *live.Cluster) backup.Rung {
	agreement, err := cluster.Agree(ctx, cluster.Members(ctx))
	var left []string
	for _, member := range slices.Sorted(maps.Keys(agreement.Left)) {
		left = append(left, member+": "+agreement.Left[member])
	}
	switch {
	case err != nil:
		return unsure("the members' data could not be compared: %v", err)
	case len(agreement.Differ) > 0:
		found := broken("the members hold different data at revision %d: %s differ from the others", agreement.Revision, strings.Join(agreement.Differ, ", "))
		found.Problems, found.ProblemCount = agreement.Differ, int64(len(agreement.Differ))
		found.Hints = []string{"treat the cluster as corrupt: see etcd's page on data corruption, and take no snapshot of the members that differ"}
		return found
	case len(agreement.Compared) < 2:
		return unsure("fewer than two members could be compared: %s", orNone(strings.Join(left, "; ")))
	default:
		found := held("%d of %d members agree at revision %d", len(agreement.Compared), len(agreement.Compared)+len(left), agreement.Revision)
		found.Problems = left
		return found
	}
}

func orNone(text string) string {
	if text == "" {
		return "there is one endpoint"
	}
	return text
}

// takeSnapshot is rung 1: a snapshot, streamed from a member, or the file there is.
func (c *climb) takeSnapshot(ctx context.Context) backup.Rung {
	if c.file != "" {
		return held("%s", c.file)
	}
	taken, err := c.cluster.Save(ctx, c.cluster.Members(ctx), c.plan.Home.join("snapshot.db"), c.streamed())
	if err != nil {
		return unsure("no snapshot could be taken: %v", err)
	}
	c.file, c.known = taken.Path, &scratch.KnownHash{SHA256: taken.SHA256, Size: taken.Size, TrailerOK: true}
	c.found(backup.Found{At: taken.At.UTC(), AtSource: "taken by this run", Facts: factsOf(taken)})
	c.env.Record.Record(backup.EventDisaster, backup.Disaster{At: time.Now().UTC()})
	return tookSnapshot(taken)
}

func tookSnapshot(taken live.Taken) backup.Rung {
	found := held("%s from %s in %s", bytes(taken.Size), taken.Member, taken.Took.Round(time.Millisecond))
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
	return nowAndThen(func(n int64) { c.progress("%s streamed", bytes(n)) })
}

// restore is rung 3: into a data directory of its own, on a copy. The member
// that rung 4 asks for begins to serve in the same process.
func (c *climb) restore(ctx context.Context) backup.Rung {
	member, err := scratch.Start(ctx, c.env.Machine.Program, c.file, c.plan.Home.join("member"), func() {})
	if err == nil {
		c.member = member
		found := held("restored to a scratch member")
		found.Seconds, found.RecoverySeconds = member.RestoreTook.Seconds(), member.RestoreTook.Seconds()
		return found
	}
	if !errors.As(err, &c.failure) {
		return unsure("%v", err)
	}
	if c.failure.Stage == RungServe {
		return held("restored to a scratch member")
	}
	return blame(c.failure)
}

func blame(failure *scratch.Failure) backup.Rung {
	if failure.Machine {
		return unsure("%v", failure.Err)
	}
	return broken("%v", failure.Err)
}

// serve is rung 4: the member answers, at the snapshot's revision.
func (c *climb) serve(ctx context.Context) backup.Rung {
	if c.member == nil {
		return blame(c.failure)
	}
	client, err := c.member.Client()
	if err != nil {
		return unsure("connecting to the scratch member: %v", err)
	}
	c.restored = client
	status, err := client.Status(ctx, c.member.Endpoint)
	if died := c.member.Err(); died != nil {
		return blame(died)
	}
	if err != nil {
		return unsure("the scratch member does not answer: %v", err)
	}
	if status.Header.Revision != c.inspection.Revision {
		return broken("the scratch member serves revision %d, the snapshot holds %d", status.Header.Revision, c.inspection.Revision)
	}
	found := held("serves revision %d", status.Header.Revision)
	if len(c.member.Alarms) > 0 {
		found.Problems = append(found.Problems, fmt.Sprintf("the snapshot holds alarm %s, which was turned off on the copy: disarm it after a real restore", strings.Join(c.member.Alarms, ", ")))
	}
	if c.member.Auth {
		found.Problems = append(found.Problems, "the snapshot holds etcd users of its own: a real restore needs their passwords")
	}
	found.Seconds, found.RecoverySeconds = c.member.ServeTook.Seconds(), c.member.ServeTook.Seconds()
	return found
}

// decode is rung 5. When rung 6 is asked for too, one walk serves both.
func (c *climb) decode(ctx context.Context) backup.Rung {
	decoder, err := objects.NewDecoder(c.env.Etcd.Prefix, c.env.Etcd.EncryptionConfig)
	if err != nil {
		return unsure("%v", err)
	}
	options := walk.Options{
		Restored: c.restored, Decoder: decoder, Prefix: c.env.Etcd.Prefix, Revision: c.inspection.Revision,
		Progress: nowAndThen(func(n int64) { c.progress("%d keys read", n) }),
	}
	if c.spec.level() != RungDecode {
		options.Live = c.cluster.Client
	}
	serving, cancel := c.whileServing(ctx)
	defer cancel()
	if c.walked, err = walk.Walk(serving, options); err != nil {
		if died := c.member.Err(); died != nil {
			return blame(died)
		}
		return unsure("reading keys: %v", err)
	}
	c.found(backup.Found{Facts: encryptedFacts(c.walked.Encrypted), Counts: c.walked.Counts})
	found := decoded(c.walked, c.env.Etcd.Prefix)
	all, err := c.restored.Get(ctx, "\x00", clientv3.WithFromKey(), clientv3.WithCountOnly(), clientv3.WithRev(c.inspection.Revision), clientv3.WithSerializable())
	switch {
	case err != nil:
		return unsure("counting keys: %v", err)
	case all.Count > c.walked.Keys:
		found.Summary += fmt.Sprintf("; %d keys outside %s were not looked at", all.Count-c.walked.Keys, c.env.Etcd.Prefix)
	}
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

func decoded(walked walk.Walked, prefix string) backup.Rung {
	total := sum(walked.Counts)
	switch {
	case walked.Keys == 0:
		found := broken("no key below %s: nothing of Kubernetes is in it", prefix)
		found.Hints = []string{"set etcd.prefix in the Environment if the API server has another --etcd-prefix"}
		return found
	case walked.Undecodable.Count > 0:
		found := broken("%d of %d values do not decode as the objects they claim to be", walked.Undecodable.Count, walked.Keys)
		if walked.Match.Wrong != "" {
			found = broken("%s", walked.Match.Wrong) // which explains it
		}
		found.Problems, found.ProblemCount = walked.Undecodable.First, walked.Undecodable.Count
		return found
	case walked.Unknown.Count > 0:
		found := unsure("%d of %d values could not be decoded with what is here", walked.Unknown.Count, walked.Keys)
		found.Problems, found.ProblemCount = walked.Unknown.First, walked.Unknown.Count
		return found
	default:
		return held("%d objects in %d resources decode%s", total, len(walked.Counts), encryptedWords(walked.Encrypted))
	}
}

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
		return broken("%s", match.Wrong)
	case differ > 0:
		found := broken("%d of %d keys differ from the living cluster at revision %d: %d other content, %d missing, %d too many",
			differ, all, revision, match.Different.Count, match.Missing.Count, match.Extra.Count)
		found.Problems = slices.Concat(match.Different.First, match.Missing.First, match.Extra.First)
		found.ProblemCount = differ
		return found
	case !match.Compared:
		return unsure("not compared with the living cluster: %s", match.Why)
	case match.Compacted == 0 && match.Equal == walked.Keys && match.Equal > 0:
		return held("%d keys equal the living cluster at revision %d", match.Equal, revision)
	case match.Compacted == 0 || match.Equal == 0:
		return unsure("only %d of %d keys were compared", match.Equal, walked.Keys)
	}
	return held("the living cluster has compacted revision %d: %d keys that have not changed since are equal, %d have changed or gone and cannot be told%s",
		revision, match.Equal, match.Moved, excludedWords(match.Excluded))
}

func excludedWords(excluded map[string]int64) string {
	if n := sum(excluded); n > 0 {
		return fmt.Sprintf("; %d are left out by rule: %s", n, strings.Join(slices.Sorted(maps.Keys(excluded)), ", "))
	}
	return ""
}

func encryptedFacts(encrypted map[string]int64) map[string]string {
	if len(encrypted) == 0 {
		return nil
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(encrypted)) {
		parts = append(parts, fmt.Sprintf("%s: %d", key, encrypted[key]))
	}
	return map[string]string{"encrypted": strings.Join(parts, ", ")}
}

func encryptedWords(encrypted map[string]int64) string {
	if n := sum(encrypted); n > 0 {
		return fmt.Sprintf(", %d of them encrypted at rest", n)
	}
	return ""
}

func sum(counts map[string]int64) int64 {
	total := int64(0)
	for _, n := range counts {
		total += n
	}
	return total
}

// nowAndThen calls tell with the newest number, at the most every few seconds.
func nowAndThen(tell func(int64)) func(int64) {
	const pause = 5 * time.Second
	last := time.Now()
	return func(n int64) {
		if time.Since(last) >= pause {
			last = time.Now()
			tell(n)
		}
	}
}

// bytes reads as people say it: 8.8 MB.
func bytes(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	default:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
}
