package main

import (
	"sync"
	"time"
)

// readiness is what /readyz answers: wanted by default, once warm, until a test or the end says otherwise.
type readiness struct {
	mu       sync.Mutex
	warm     time.Time // not ready before
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
	return r.is()
}

func (r *readiness) is() bool { return r.wanted && !r.draining && !time.Now().Before(r.warm) }

// warmUp keeps it unready for a while from now on.
func (r *readiness) warmUp(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.warm = time.Now().Add(d)
}

// set takes the time under the lock, so that no answer of /readyz falls between the flip and its moment. A process
// that is draining stays unready.
func (r *readiness) set(wanted bool) flip {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.is()
	r.wanted = wanted
	after := r.is()
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
