package files

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// heartbeat is how often a reader says that it is alive. Connections that are
// silent are cut, by proxies after a minute at times.
const heartbeat = 5 * time.Second

// printer prints the lines of a walk in its order, while files are hashed ahead.
type printer struct {
	out    *bufio.Writer
	lines  *json.Encoder
	counts Counts
	read   atomic.Int64
}

func newPrinter(out io.Writer) *printer {
	buffered := bufio.NewWriterSize(out, 64<<10)
	lines := json.NewEncoder(buffered)
	lines.SetEscapeHTML(false)
	return &printer{out: buffered, lines: lines}
}

// print walks the directory and prints it, from behind a path on if that is not empty.
func (p *printer) print(ctx context.Context, fd int, start begin, after string, limits limits) error {
	if err := encode(p.lines, line{Begin: &start}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel(nil)

	files := make(chan *job, limits.queue)
	ordered := make(chan *job, limits.queue)
	for range limits.workers {
		workers.Go(func() {
			h := newHasher(&p.read)
			for j := range files {
				if ctx.Err() != nil {
					j.in.release()
					continue
				}
				h.do(j)
			}
		})
	}
	var walked error
	workers.Go(func() {
		defer close(ordered)
		defer close(files)
		w := &walker{limits: limits, emit: func(j *job) error {
			for _, to := range []chan *job{ordered, files} {
				if to == files && j.done == nil {
					continue
				}
				select {
				case to <- j:
				case <-ctx.Done():
					if j.in != nil {
						j.in.release()
					}
					return context.Cause(ctx)
				}
			}
			return nil
		}}
		walked = w.walk(ctx, fd, after)
	})
	if err := p.printAll(ctx, ordered); err != nil {
		cancel(err)
		return err
	}
	if walked != nil {
		return walked
	}
	if err := encode(p.lines, line{End: &p.counts}); err != nil {
		return err
	}
	return p.out.Flush()
}

func (p *printer) printAll(ctx context.Context, ordered <-chan *job) error {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case j, open := <-ordered:
			if !open {
				return nil
			}
			if err := p.wait(ctx, j, tick.C); err != nil {
				return err
			}
			if err := p.printOne(j); err != nil {
				return err
			}
		case <-tick.C:
			if err := p.alive(); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (p *printer) wait(ctx context.Context, j *job, tick <-chan time.Time) error {
	if j.done == nil {
		return nil
	}
	for {
		select {
		case <-j.done:
			return nil
		case <-tick:
			if err := p.alive(); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (p *printer) printOne(j *job) error {
	if j.again {
		return encode(p.lines, line{Again: &j.entry})
	}
	p.counts.count(&j.entry)
	return encode(p.lines, line{Entry: &j.entry})
}

func (p *printer) alive() error {
	now := p.counts
	now.Bytes = p.read.Load()
	if err := encode(p.lines, line{Alive: &now}); err != nil {
		return err
	}
	return p.out.Flush()
}
