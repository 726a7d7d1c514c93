package child

import "sync"

// kept is how much of a child's standard error is remembered.
const kept = 64 << 10

// tail remembers the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	ring []byte
	next int  // where the next byte goes
	full bool // the ring has been written around
}

func newTail() *tail { return &tail{} }

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ring == nil { // most children have nothing to say
		t.ring = make([]byte, kept)
	}
	written := len(p)
	if len(p) > kept {
		p = p[len(p)-kept:]
	}
	for len(p) > 0 {
		n := copy(t.ring[t.next:], p)
		p = p[n:]
		t.next += n
		if t.next == kept {
			t.next, t.full = 0, true
		}
	}
	return written, nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.full {
		return string(t.ring[:t.next])
	}
	return string(t.ring[t.next:]) + string(t.ring[:t.next])
}
