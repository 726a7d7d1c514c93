// Package progress shows a run while it goes on, from the events of its
// journal: a repainted view on a terminal, plain lines elsewhere. It shows what
// was recorded and judges nothing; the verdict is the report's.
package progress

import (
	"io"
	"sync"
	"time"

	"gameday.dev/gameday/internal/journal"
)

// Options says where the progress is shown.
type Options struct {
	// Terminal repaints in place; without it nothing but lines is written.
	Terminal bool
	Color    bool
	// Width and Height give the terminal's size at this moment; nil or 0 is 80 by 24.
	Width  func() int
	Height func() int
}

// Display shows one run. It never hides the cursor, so that no way of dying
// leaves a terminal without one, and it ignores what it cannot write: a closed
// stderr must not end a run.
type Display struct {
	w    io.Writer
	stop chan struct{}
	done chan struct{}

	mu      sync.Mutex // of all that follows, and of writing
	view    view
	running bool
	stopped bool
}

// view is one way of showing events.
type view interface {
	event(journal.Event)
	tick(now time.Time)
	every() time.Duration
	// clear makes room for what others write; the next tick shows the rest again.
	clear()
	// end leaves the output so that others may write to it.
	end()
}

// New makes a display that writes to w.
func New(w io.Writer, options Options) *Display {
	d := &Display{w: w, stop: make(chan struct{}), done: make(chan struct{})}
	if options.Terminal {
		d.view = &live{w: w, options: options, model: newModel()}
	} else {
		d.view = &plain{w: w, model: newModel()}
	}
	return d
}

// Run shows events until the channel is closed or Stop is called. The journal
// drops events for which the channel has no room: give it some hundred. A
// display runs once.
func (d *Display) Run(events <-chan journal.Event) {
	if !d.begin() {
		return
	}
	defer d.finish()
	ticker := time.NewTicker(d.view.every())
	defer ticker.Stop()
	for {
		select {
		case event, ok := <-events:
			if !ok {
				return
			}
			d.show(event)
		case now := <-ticker.C:
			d.locked(func() { d.view.tick(now) })
		case <-d.stop:
			for len(events) > 0 { // what has arrived is shown, what comes is not waited for
				d.show(<-events)
			}
			return
		}
	}
}

// Stop shows what has arrived so far and ends the display; once it has
// returned the display writes nothing more of its own. It may be called again,
// from anywhere, and before Run, which then shows nothing.
func (d *Display) Stop() {
	d.mu.Lock()
	if !d.stopped {
		d.stopped = true
		close(d.stop)
	}
	running := d.running
	d.mu.Unlock()
	if running {
		<-d.done
	}
}

// Write puts whole lines of others above the view, which goes on below them.
func (d *Display) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.view.clear()
	return d.w.Write(p)
}

func (d *Display) begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped || d.running {
		return false
	}
	d.running = true
	return true
}

func (d *Display) finish() {
	d.locked(d.view.end)
	close(d.done)
}

func (d *Display) show(event journal.Event) {
	if event.Kind != "" { // the zero event of a channel that was closed meanwhile
		d.locked(func() { d.view.event(event) })
	}
}

func (d *Display) locked(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do()
}
