package walk

import (
	"bytes"
	"context"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// page is what one side holds in a range of keys, whole and in their order.
type page struct {
	answer
	kvs []*mvccpb.KeyValue // those of the answer that are left
	end []byte             // the range ends before it
}

// interval is a range that the restored side has been read in, for the living
// side to be read in too.
type interval struct {
	start, end []byte
	keys       int64
}

// firstPage is how many keys are asked for while their size is not known.
const firstPage = 64

// readRestored pages through the prefix. Each interval is announced before its
// page is handed over, so that the living side is read meanwhile. The channels
// are closed when all is read, and stay open after an error.
func readRestored(ctx context.Context, r *reader, prefix []byte, announce chan<- interval, pages chan<- page) error {
	reach := newReach(prefix)
	limit := int64(firstPage)
	from := prefix // the end of the last page
	for start := prefix; !bytes.Equal(start, reach.last); {
		end := reach.end(start)
		response, err := r.read(ctx, start, end, limit)
		if err != nil {
			return err
		}
		if response.More {
			end = behind(response.Kvs[len(response.Kvs)-1].Key)
		}
		reach.learn(start, response.Kvs, response.Count, limit)
		start = end
		if len(response.Kvs) == 0 && !bytes.Equal(end, reach.last) {
			response.done()
			continue
		}
		limit = nextLimit(r.pace, limit, response.Kvs)
		if announce != nil && !send(ctx, announce, interval{from, end, int64(len(response.Kvs))}) {
			return context.Cause(ctx)
		}
		if !send(ctx, pages, page{response, response.Kvs, end}) {
			return context.Cause(ctx)
		}
		from = end
	}
	close(pages)
	if announce != nil {
		close(announce)
	}
	return nil
}

// readLive reads the announced intervals. It asks for little more keys than the
// restored side has there, because their values will be as large. It closes
// pages like readRestored.
func readLive(ctx context.Context, r *reader, announced <-chan interval, pages chan<- page) error {
	for {
		wanted, ok := receive(ctx, announced)
		if !ok {
			break
		}
		limit := wanted.keys + wanted.keys/8 + firstPage
		for start := wanted.start; !bytes.Equal(start, wanted.end); {
			response, err := r.read(ctx, start, wanted.end, limit)
			if err != nil {
				return err
			}
			start = wanted.end
			if response.More {
				start = behind(response.Kvs[len(response.Kvs)-1].Key)
			}
			if !send(ctx, pages, page{response, response.Kvs, start}) {
				return context.Cause(ctx)
			}
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	close(pages)
	return nil
}

// nextLimit fits the number of keys to the size of those just read: a larger
// size shows at once, a smaller one is trusted by and by.
func nextLimit(p pace, limit int64, kvs []*mvccpb.KeyValue) int64 {
	size := 0
	for _, kv := range kvs {
		size += len(kv.Key) + len(kv.Value)
	}
	if size == 0 {
		return limit
	}
	fit := int64(p.page) * int64(len(kvs)) / int64(size)
	return max(1, min(fit, 2*limit, p.keys))
}

func send[T any](ctx context.Context, to chan<- T, what T) bool {
	select {
	case <-ctx.Done():
		return false
	case to <- what:
		return true
	}
}

// receive is not ok when there is nothing more, or the context has ended.
func receive[T any](ctx context.Context, from <-chan T) (what T, ok bool) {
	select {
	case <-ctx.Done():
		return what, false
	case what, ok = <-from:
		return what, ok
	}
}
