package apiserver

import "context"

// cursor goes through the objects of a list one by one while the next page is
// being fetched.
type cursor struct {
	batches <-chan batch
	items   []item
	err     error
	count   int64 // of those gone past
}

type batch struct {
	items []item
	err   error
}

// read starts reading the pages; it ends with them or with ctx.
func read(ctx context.Context, p *pages) *cursor {
	batches := make(chan batch, 1)
	go func() {
		defer close(batches)
		for {
			items, err := p.next(ctx)
			if err == nil && items == nil {
				return
			}
			select {
			case batches <- batch{items, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return &cursor{batches: batches}
}

// head gives the object that it stands at; nil at the end or after an error,
// which err then holds.
func (c *cursor) head(ctx context.Context) *item {
	for len(c.items) == 0 {
		if c.err != nil {
			return nil
		}
		select {
		case next, more := <-c.batches:
			if !more {
				c.err = context.Cause(ctx) // a reader that was told to stop has not read all
				return nil
			}
			c.items, c.err = next.items, next.err
		case <-ctx.Done():
			c.err = context.Cause(ctx)
		}
	}
	return &c.items[0]
}

func (c *cursor) advance() {
	c.items = c.items[1:]
	c.count++
}
