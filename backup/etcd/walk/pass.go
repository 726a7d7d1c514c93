package walk

import (
	"context"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

// pass walks once, from the first key to the last. judge compares; without it
// the living side is not read. now is the revision to read the living side at.
func (w *walker) pass(ctx context.Context, judge judge, now int64) (Walked, error) {
	total := newTally()
	group, ctx := errgroup.WithContext(ctx)
	restored := make(chan page, 2)
	var live chan page
	var announced chan interval
	if judge != nil {
		live, announced = make(chan page, 2), make(chan interval, 2)
		reader := w.living(now)
		group.Go(func() error { return readLive(ctx, reader, announced, live) })
	}
	reader := w.restored()
	group.Go(func() error { return readRestored(ctx, reader, w.prefix, announced, restored) })
	group.Go(func() error {
		return merge(ctx, restored, live, func(pairs []pair) error {
			w.look(total, judge, pairs) //nolint:contextcheck // decoding waits for nothing
			w.progress(total.Keys)
			return ctx.Err()
		})
	})
	if err := group.Wait(); err != nil {
		return Walked{}, err
	}
	total.Match.Compared = judge != nil
	return total.Walked, nil
}

// look decodes and compares pairs on all processors and adds up what was found,
// in the order of the keys.
func (w *walker) look(total *tally, judge judge, pairs []pair) {
	const least = 32 // pairs that are worth a goroutine
	parts := min(runtime.GOMAXPROCS(0), len(pairs)/least+1)
	tallies := make([]*tally, parts)
	var group sync.WaitGroup
	for i := range parts {
		from, to := i*len(pairs)/parts, (i+1)*len(pairs)/parts
		group.Go(func() {
			tallies[i] = newTally()
			for _, p := range pairs[from:to] {
				w.pair(tallies[i], judge, p)
			}
		})
	}
	group.Wait()
	for _, tally := range tallies {
		total.merge(tally)
	}
}

// pair decodes what was restored and compares it.
func (w *walker) pair(t *tally, judge judge, p pair) {
	if p.restored != nil {
		w.decode(t, p.restored)
	}
	if judge != nil {
		judge(&t.Match, p)
	}
}
