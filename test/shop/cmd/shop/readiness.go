package main

import (
	"sync"
	"time"
)

// readiness is what /readyz answers: wanted by default, until a test or the end says otherwise.
type readiness struct {
	mu       sync.Mutex
	wanted   bool
	draining bool
}

// flip says what readiness is since when.
type flip struct {
	Pod       string    `json:"pod"`
	Ready     bool      `json:"ready"`
	Changed   bool      `json:"changed"` // false when it was so before: At is then only when that was said again
	At        time.Time `json:"at"`      // RFC 3339, down to nanoseconds
	UnixNanos int64     `json:"unixNanos"`
}

func newReadiness() *readiness { return &readiness{wanted: true} }

func (r *readiness) now() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wanted && !r.draining
}

// set takes the time under the lock, so that no answer of /readyz falls between the flip and its moment. A process
// that is draining stays unready.
func (r *readiness) set(wanted bool) flip {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.wanted && !r.draining
	r.wanted = wanted
	after := r.wanted && !r.draining
	at := time.Now().UTC()
	return flip{Ready: after, Changed: before != after, At: at, UnixNanos: at.UnixNano()}
}

// drain makes it unready for good.
func (r *readiness) drain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining = true
}

func (r *readiness) isDraining() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.draining
}
