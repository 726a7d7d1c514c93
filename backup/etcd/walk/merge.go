package walk

import (
	"bytes"
	"context"
	"errors"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// pair is one key: what each side holds there, nil for nothing.
type pair struct{ restored, live *mvccpb.KeyValue }

// merge brings the pages of both sides together by key and hands over pairs, in
// the order of the keys, whenever both sides are known up to a key. A nil live
// is a side that is not looked at. The pairs are valid until handle returns.
func merge(ctx context.Context, restored, live <-chan page, handle func([]pair) error) error {
	var r, l page
	var pairs []pair
	for {
		var ok bool
		if r.end == nil {
			if r, ok = receive(ctx, restored); !ok {
				break
			}
		}
		if live == nil {
			l = page{end: r.end}
		} else if l.end == nil {
			if l, ok = receive(ctx, live); !ok {
				break
			}
		}
		end := r.end
		if bytes.Compare(l.end, end) < 0 {
			end = l.end
		}
		pairs, r.kvs, l.kvs = pairUp(pairs[:0], r.kvs, l.kvs, end)
		if err := handle(pairs); err != nil {
			return err
		}
		clear(pairs) // their memory is used again
		if bytes.Equal(r.end, end) {
			r.done()
			r = page{}
		}
		if bytes.Equal(l.end, end) {
			l.done()
			l = page{}
		}
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case r.end != nil:
		return errors.New("reading the living etcd: it ended before the restored one")
	}
	return nil
}

// pairUp takes all keys before end from both sides.
func pairUp(pairs []pair, restored, live []*mvccpb.KeyValue, end []byte) (paired []pair, restOfRestored, restOfLive []*mvccpb.KeyValue) {
	within := func(kvs []*mvccpb.KeyValue) bool { return len(kvs) > 0 && bytes.Compare(kvs[0].Key, end) < 0 }
	for {
		var order int
		switch haveRestored, haveLive := within(restored), within(live); {
		case haveRestored && haveLive:
			order = bytes.Compare(restored[0].Key, live[0].Key)
		case haveRestored:
			order = -1
		case haveLive:
			order = 1
		default:
			return pairs, restored, live
		}
		var p pair
		if order <= 0 {
			p.restored, restored = restored[0], restored[1:]
		}
		if order >= 0 {
			p.live, live = live[0], live[1:]
		}
		pairs = append(pairs, p)
	}
}
