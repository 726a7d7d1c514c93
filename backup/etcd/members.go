package etcd

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/etcd/live"
)

// agreement compares the members of the living cluster: a snapshot of one is
// worth little when another holds other data. It is a finding of its own, below
// the first rung.
func (c *climb) agreement(ctx context.Context) backup.Rung {
	began := time.Now()
	found := compareMembers(ctx, c.cluster)
	found.Name, found.Seconds = rungMembers, time.Since(began).Seconds()
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
		return backup.Unsure("the members' data could not be compared: %v", err)
	case len(agreement.Differ) > 0:
		found := backup.Broken("the members hold different data at revision %d: %s differ from the others", agreement.Revision, strings.Join(agreement.Differ, ", "))
		found.Problems, found.ProblemCount = agreement.Differ, int64(len(agreement.Differ))
		found.Hints = []string{"treat the cluster as corrupt: see etcd's page on data corruption, and take no snapshot of the members that differ"}
		return found
	case len(agreement.Compared) < 2:
		return backup.Unsure("fewer than two members could be compared: %s", orNone(strings.Join(left, "; ")))
	default:
		found := backup.Held("%d of %d members agree at revision %d", len(agreement.Compared), len(agreement.Compared)+len(left), agreement.Revision)
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
