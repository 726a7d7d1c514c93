package etcd

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/etcd/objects"
	"gameday.dev/gameday/backup/etcd/walk"
)

// decode is rung 5. When rung 6 is asked for too, one walk serves both.
func (c *climb) decode(ctx context.Context) backup.Rung {
	decoder, err := objects.NewDecoder(c.env.Etcd.Prefix, c.env.Etcd.EncryptionConfig)
	if err != nil {
		return backup.Unsure("%v", err)
	}
	options := walk.Options{
		Restored: c.restored, Decoder: decoder, Prefix: c.env.Etcd.Prefix, Revision: c.inspection.Revision,
		Progress: backup.NowAndThen(func(n int64) { c.Progress("%d keys read", n) }),
	}
	if c.spec.level() != rungDecode {
		options.Live = c.cluster.Client
	}
	serving, cancel := c.whileServing(ctx)
	defer cancel()
	if c.walked, err = walk.Walk(serving, options); err != nil {
		if died := c.member.Err(); died != nil {
			return blame(died)
		}
		return backup.Unsure("reading keys: %v", err)
	}
	c.Found(backup.Found{Facts: encryptedFacts(c.walked.Encrypted), Counts: c.walked.Counts})
	found := decoded(c.walked, c.env.Etcd.Prefix)
	all, err := c.restored.Get(ctx, "\x00", clientv3.WithFromKey(), clientv3.WithCountOnly(), clientv3.WithRev(c.inspection.Revision), clientv3.WithSerializable())
	switch {
	case err != nil:
		return backup.Unsure("counting keys: %v", err)
	case all.Count > c.walked.Keys:
		found.Summary += fmt.Sprintf("; %d keys outside %s were not looked at", all.Count-c.walked.Keys, c.env.Etcd.Prefix)
	}
	return found
}

func decoded(walked walk.Walked, prefix string) backup.Rung {
	total := sum(walked.Counts)
	switch {
	case walked.Keys == 0:
		found := backup.Broken("no key below %s: nothing of Kubernetes is in it", prefix)
		found.Hints = []string{"set etcd.prefix in the Environment if the API server has another --etcd-prefix"}
		return found
	case walked.Undecodable.Count > 0:
		found := backup.Broken("%d of %d values do not decode as the objects they claim to be", walked.Undecodable.Count, walked.Keys)
		if walked.Match.Wrong != "" {
			found = backup.Broken("%s", walked.Match.Wrong) // which explains it
		}
		found.Problems, found.ProblemCount = walked.Undecodable.First, walked.Undecodable.Count
		return found
	case walked.Unknown.Count > 0:
		found := backup.Unsure("%d of %d values could not be decoded with what is here", walked.Unknown.Count, walked.Keys)
		found.Problems, found.ProblemCount = walked.Unknown.First, walked.Unknown.Count
		return found
	default:
		return backup.Held("%d objects in %d resources decode%s", total, len(walked.Counts), encryptedWords(walked.Encrypted))
	}
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
