package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
)

const (
	// catchUpWithin is how long a member may need to come to the revision that is asked for.
	catchUpWithin = 5 * time.Second
	askAgainAfter = 100 * time.Millisecond
	// hashWithin bounds the hashing of a large database; a member that dies
	// meanwhile is noticed by its connection.
	hashWithin = 5 * time.Minute
	// comparisons is how often a compaction may come between.
	comparisons = 3
)

// Agreement compares the members' HashKV at one revision.
type Agreement struct {
	Revision int64
	// Compared are the members whose hashes could be compared: those of equal compaction.
	Compared []string
	// Differ names the members that hold other data than the others; empty when all agree.
	// A member with the alarm CORRUPT is among them, compared or not.
	Differ []string
	// Left says of each member that could not be compared why.
	Left map[string]string
}

// Agree compares what the members hold. See etcd's own corruption check
// (server/etcdserver/corrupt.go): hashes compare at equal compaction only. One
// member alone agrees with nobody: Compared is then empty. An error means that
// ctx ended.
func (c *Cluster) Agree(ctx context.Context, members []Member) (Agreement, error) {
	var agreement Agreement
	for range comparisons {
		agreement = c.compare(ctx, members)
		if err := ctx.Err(); err != nil {
			return Agreement{}, fmt.Errorf("comparing the members of etcd: %w", context.Cause(ctx))
		}
		if len(agreement.Left) == 0 || len(agreement.Differ) > 0 {
			break
		}
		// Their state is old by now, and some may have answered meanwhile.
		members = c.Members(ctx)
	}
	return agreement, nil
}

// hashed is what one member answered.
type hashed struct {
	member             Member
	hash               uint32
	compacted, through int64
	err                error
}

// compare asks all at the newest revision that any of them has: the others
// come to it in a moment, and it is not compacted.
func (c *Cluster) compare(ctx context.Context, members []Member) Agreement {
	agreement := Agreement{Left: map[string]string{}}
	var asked []Member
	for _, member := range members {
		switch {
		case member.Err != nil:
			agreement.Left[member.Endpoint] = "it did not answer: " + member.Err.Error()
			continue
		case member.corrupt():
			agreement.Differ = append(agreement.Differ, member.Endpoint)
			continue
		case member.Learner:
			agreement.Left[member.Endpoint] = "it is a learner, and learners are not asked"
			continue
		case slices.ContainsFunc(asked, func(other Member) bool { return other.ID == member.ID }):
			agreement.Left[member.Endpoint] = "it is the same member as another endpoint"
			continue
		}
		asked = append(asked, member)
		agreement.Revision = max(agreement.Revision, member.Revision)
	}
	answers := make([]hashed, len(asked))
	var asking sync.WaitGroup
	for i, member := range asked {
		asking.Go(func() { answers[i] = c.hash(ctx, member, agreement.Revision) })
	}
	asking.Wait()
	agreement.weigh(answers)
	return agreement
}

// hash asks one member for its hash at a revision, and again while it has not
// come to it.
func (c *Cluster) hash(ctx context.Context, member Member, revision int64) hashed {
	ctx, cancel := context.WithTimeout(ctx, hashWithin)
	defer cancel()
	answer := hashed{member: member}
	conn, err := c.Client.Dial(member.Endpoint)
	if err != nil {
		answer.err = err
		return answer
	}
	defer func() { _ = conn.Close() }()
	for until := time.Now().Add(catchUpWithin); ; {
		reply, err := hashKV(ctx, conn, revision)
		if errors.Is(rpctypes.Error(err), rpctypes.ErrFutureRev) && time.Now().Before(until) && pause(ctx, askAgainAfter) {
			continue
		}
		if err != nil {
			answer.err = explain(err)
			return answer
		}
		answer.hash, answer.compacted, answer.through = reply.Hash, reply.CompactRevision, reply.HashRevision
		if answer.through == 0 { // servers before 3.6 don't tell; it is what they were asked for
			answer.through = revision
		}
		return answer
	}
}

func hashKV(ctx context.Context, conn *grpc.ClientConn, revision int64) (*pb.HashKVResponse, error) {
	return pb.NewMaintenanceClient(conn).HashKV(ctx, &pb.HashKVRequest{Revision: revision})
}

// weigh compares the largest group of equal compaction.
func (a *Agreement) weigh(answers []hashed) {
	type kind struct{ compacted, through int64 }
	groups := map[kind][]hashed{}
	var largest kind
	for _, answer := range answers {
		if answer.err != nil {
			a.Left[answer.member.Endpoint] = answer.err.Error()
			continue
		}
		of := kind{answer.compacted, answer.through}
		groups[of] = append(groups[of], answer)
		if size, most := len(groups[of]), len(groups[largest]); size > most || size == most && of.compacted > largest.compacted {
			largest = of
		}
	}
	for of, group := range groups {
		for _, answer := range group {
			switch {
			case of != largest:
				a.Left[answer.member.Endpoint] = fmt.Sprintf("it is compacted at revision %d, others at %d", of.compacted, largest.compacted)
			case len(group) == 1:
				a.Left[answer.member.Endpoint] = "there is no other to compare it with"
			default:
				a.Compared = append(a.Compared, answer.member.Endpoint)
			}
		}
	}
	slices.Sort(a.Compared)
	if len(groups[largest]) > 1 {
		a.Differ = append(a.Differ, odd(groups[largest])...)
	}
	slices.Sort(a.Differ)
}

// odd names those whose hash is not that of most; all, when no hash is.
func odd(group []hashed) []string {
	count := map[uint32]int{}
	for _, answer := range group {
		count[answer.hash]++
	}
	if len(count) == 1 {
		return nil
	}
	var endpoints []string
	for _, answer := range group {
		if 2*count[answer.hash] <= len(group) {
			endpoints = append(endpoints, answer.member.Endpoint)
		}
	}
	return endpoints
}

// pause waits, and says whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
