package main

import (
	"context"
	"sync/atomic"
	"time"
)

// addWorker processes an order whenever one comes in, until ctx is done.
func addWorker(ctx context.Context, a *app, every time.Duration) {
	var processed atomic.Uint64
	a.metrics.add("shop_orders_processed_total", "Orders processed.", counter, func(emit emitter) {
		emit("", float64(processed.Load()))
	})
	go func() {
		orders := time.NewTicker(every)
		defer orders.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-orders.C:
				processed.Add(1)
			}
		}
	}()
}
