package walk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// pace says how large a response may be and how long a member is asked again.
type pace struct {
	// page is the size of the values that a response should have, in bytes.
	page int
	// most is the size at which a response is refused and asked for in halves.
	most int
	// keys is how many a page may have at the most.
	keys int64
	// request bounds one attempt, patience all attempts of one request.
	request, patience time.Duration
	// pause is between the first and the second attempt. It doubles, up to longest.
	pause, longest time.Duration
}

func defaultPace() pace {
	return pace{
		page: 3 << 20, most: 16 << 20, keys: 10_000,
		request: 30 * time.Second, patience: time.Minute,
		pause: 250 * time.Millisecond, longest: 5 * time.Second,
	}
}

// reader reads one side at one revision. It keeps its place when a member is
// lost: at a fixed revision, every member that has got so far tells the same.
type reader struct {
	side string // for errors: "the restored etcd"
	kv   pb.KVClient
	pace pace
	// revision to read at, 0 for the newest.
	revision int64
	// agreed asks for reads that a quorum agrees on, which only the newest
	// revision needs.
	agreed bool
	// moves says that this side goes on and compacts its history: its reader
	// may come too late.
	moves bool
	// spare memory is kept here and not in a sync.Pool, which every collection
	// of garbage would empty.
	spare chan *memory
}

func newReader(side string, client *clientv3.Client, revision int64, pace pace) *reader {
	return &reader{
		side: side, kv: clientv3.RetryKVClient(client), pace: pace, revision: revision,
		spare: make(chan *memory, 4), // as many pages as are on their way
	}
}

// answer is what a member has answered, in memory that its reader wants back:
// keys and values are gone after done.
type answer struct {
	*pb.RangeResponse
	memory *memory
	reader *reader
}

func (a answer) done() {
	if a.memory == nil {
		return
	}
	select {
	case a.reader.spare <- a.memory:
	default:
	}
}

// read reads the keys from start up to end, limit of them at the most: fewer
// when they are large.
func (r *reader) read(ctx context.Context, start, end []byte, limit int64) (answer, error) {
	request := &pb.RangeRequest{Key: start, RangeEnd: end, Limit: limit, Revision: r.revision, Serializable: !r.agreed}
	pause := r.pace.pause
	var failing time.Time // since when
	for {
		a, err := r.ask(ctx, request)
		if err == nil {
			return a, nil
		}
		if ctx.Err() != nil {
			return answer{}, fmt.Errorf("reading %s: %w", r.side, context.Cause(ctx))
		}
		switch {
		case status.Code(err) == codes.ResourceExhausted && !errors.Is(rpctypes.Error(err), rpctypes.ErrTooManyRequests) && request.Limit != 1:
			request.Limit = max(1, request.Limit/2)
			continue
		case errors.Is(rpctypes.Error(err), rpctypes.ErrFutureRev) && request.Serializable:
			// This member lags behind. It is to catch up before it answers.
			request.Serializable = false
			continue
		case errors.Is(rpctypes.Error(err), rpctypes.ErrCompacted) && r.moves:
			return answer{}, tooLate{fmt.Errorf("reading %s: %w", r.side, rpctypes.Error(err))}
		case !passing(err):
			return answer{}, fmt.Errorf("reading %s: %w", r.side, rpctypes.Error(err))
		}
		if failing.IsZero() {
			failing = time.Now()
		}
		if time.Since(failing)+pause > r.pace.patience {
			return answer{}, fmt.Errorf("reading %s, which has failed for %s: %w", r.side, time.Since(failing).Round(time.Second), rpctypes.Error(err))
		}
		if err := wait(ctx, pause); err != nil {
			return answer{}, fmt.Errorf("reading %s: %w", r.side, err)
		}
		pause = min(2*pause, r.pace.longest)
	}
}

func (r *reader) ask(ctx context.Context, request *pb.RangeRequest) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, r.pace.request)
	defer cancel()
	most := r.pace.most
	if request.Limit == 1 {
		most = math.MaxInt32 // one value is as large as it is
	}
	into := &memory{}
	select {
	case into = <-r.spare:
	default:
	}
	response, err := r.kv.Range(ctx, request, grpc.MaxCallRecvMsgSize(most), grpc.ForceCodecV2(codec{into}))
	return answer{response, into, r}, err
}

// passing says whether the same request may succeed later or at another member.
func passing(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return true // Canceled: a member that stops cancels what it is at
	}
	return errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(rpctypes.Error(err), rpctypes.ErrTooManyRequests)
}

// tooLate is the error of a revision that the living cluster has compacted.
type tooLate struct{ error }

func compacted(err error) bool { return errors.As(err, &tooLate{}) }

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
