package etcd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/etcd/apiserver"
)

// bootAPIServer is rung 7: an API server boots on what was restored and lists
// what the living one lists.
func (c *climb) bootAPIServer(ctx context.Context) backup.Rung {
	server, err := apiserver.Start(ctx, apiserver.Config{
		At: *c.env.Etcd, EtcdEndpoint: c.member.Endpoint,
		CAFile: c.member.CAFile, CertFile: c.member.CertFile, KeyFile: c.member.KeyFile,
		Dir: c.plan.Home.join("apiserver"), Flags: c.plan.APIServerFlags,
	})
	if err != nil {
		var failure *apiserver.Failure
		if errors.As(err, &failure) && !failure.Machine {
			return backup.Broken("the API server does not boot: %v", err)
		}
		return backup.Unsure("booting an API server: %v", err)
	}
	defer server.Stop()
	c.Progress("API server ready after %s", server.BootTook.Round(100*time.Millisecond))
	serving, cancel := c.whileServing(ctx)
	defer cancel()
	compared, err := apiserver.Compare(serving, apiserver.Options{
		Live: c.env.Client, Restored: server.Client, Revision: c.inspection.Revision, Stored: c.walked.Counts, Elsewhere: c.plan.Elsewhere,
		Progress: backup.NowAndThen(func(n int64) { c.Progress("%d objects compared", n) }),
	})
	found := backup.Unsure("comparing the API servers: %v", err)
	if died := c.member.Err(); died != nil {
		found = blame(died)
	} else if err == nil {
		found = c.acceptCompaction(booted(compared), compared.Compacted)
	}
	found.RecoverySeconds = server.BootTook.Seconds()
	return found
}

func booted(compared apiserver.Compared) backup.Rung {
	differ := compared.DifferentCount + compared.MissingCount + compared.ExtraCount
	switch {
	case differ > 0:
		found := backup.Broken("%d objects differ from what the living API server lists: %d other content, %d missing, %d too many",
			differ, compared.DifferentCount, compared.MissingCount, compared.ExtraCount)
		found.Problems = slices.Concat(compared.Different, compared.Missing, compared.Extra)
		found.ProblemCount = differ
		return found
	case len(compared.Untold) > 0:
		found := backup.Unsure("%d of %d resources could not be compared", len(compared.Untold), compared.Resources+int64(len(compared.Untold)))
		for _, resource := range slices.Sorted(maps.Keys(compared.Untold)) {
			found.Problems = append(found.Problems, resource+": "+compared.Untold[resource])
		}
		found.ProblemCount = int64(len(found.Problems))
		return found
	case compared.Objects == 0 || compared.Equal == 0:
		return backup.Unsure("no object could be compared")
	}
	found := backup.Held("a kube-apiserver lists %d objects in %d resources, %d equal to the living one's", compared.Objects, compared.Resources, compared.Equal)
	if compared.Compacted {
		found.Summary += fmt.Sprintf("; the living cluster has compacted the revision, %d have changed since and cannot be told", compared.Moved)
	}
	if len(compared.Skipped) > 0 {
		found.Summary += fmt.Sprintf("; %d resources are left out by rule", len(compared.Skipped))
	}
	for _, resource := range slices.Sorted(maps.Keys(compared.Skipped)) {
		found.Problems = append(found.Problems, resource+": "+compared.Skipped[resource])
	}
	return found
}
