package apiserver

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
)

// Compared is what the comparison of the two servers found.
type Compared struct {
	Resources int64            // that were compared
	Objects   int64            // listed on the restored side
	Counts    map[string]int64 // by resource
	Equal     int64
	// Moved counts objects that the living cluster has changed since; 0 while its
	// history still reaches back to the snapshot's revision.
	Moved int64
	// Compacted says that it does not.
	Compacted                                bool
	Different, Missing, Extra                []string // first few, as objects, with the paths of the fields; Secrets without values
	DifferentCount, MissingCount, ExtraCount int64
	// Skipped says of each resource that could not be compared why; Untold of
	// those whose comparison would have been owed.
	Skipped map[string]string
	Untold  map[string]string
}

// Options of Compare.
type Options struct {
	Live, Restored kubernetes.Interface
	// Revision of the snapshot.
	Revision int64
	// Stored counts keys by resource, as the walk found them: what the API server
	// must list. Nil when nobody walked.
	Stored map[string]int64
	// Elsewhere are resources that the living cluster keeps in another etcd, as
	// the function of that name finds them.
	Elsewhere []string
	Progress  func(objects int64)
}

// together is how many resources are compared at a time: most are small, and
// each holds a few pages.
const together = 4

// Compare lists every resource of both servers and compares them, both at the
// snapshot's revision while the living cluster still has it. Of the living
// cluster it only reads. An error says what could not be read, so that nothing
// is known; what could not be told of one resource is in Untold.
func Compare(ctx context.Context, o Options) (Compared, error) {
	restored, err := newSide("the restored API server", o.Restored)
	if err != nil {
		return Compared{}, err
	}
	living, err := newSide("the living cluster", o.Live)
	if err != nil {
		return Compared{}, err
	}
	c := &comparison{Options: o, restored: restored, living: living}
	plan, err := c.plan(ctx)
	if err != nil {
		return Compared{}, err
	}
	tallies := make([]*tally, len(plan))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(together)
	for i, subject := range plan {
		group.Go(func() error {
			found, err := c.compare(ctx, subject)
			tallies[i] = found
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return Compared{}, err
	}
	return c.sum(plan, tallies), nil
}

// comparison is one at work.
type comparison struct {
	Options
	restored, living *side

	compacted atomic.Bool // the living cluster has forgotten the revision

	mu     sync.Mutex
	listed int64 // objects of the restored side
}

func (c *comparison) progress(objects int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listed += objects
	if c.Progress != nil {
		c.Progress(c.listed)
	}
}
