package snapshots

import (
	"fmt"
	"time"
)

// moment is one time that one object speaks of.
type moment struct {
	at       time.Time
	what     string // renewTime, creationTimestamp, …
	kind     string
	object   string // namespace/name
	revision int64
}

func (m moment) String() string {
	return fmt.Sprintf("%s of %s %s at revision %d", m.what, m.kind, m.object, m.revision)
}

// heard is what the revisions so far have spoken of, from the newest on.
type heard struct {
	prefix string
	latest time.Time // no later moment is believed

	entries int
	bytes   int
	newest  map[string]moment // by key
	liars   map[string]moment // what they were caught with, by key
	leases  renewals
}

// hear takes in what one revision of a key speaks of.
func (h *heard) hear(key string, revision int64, said []moment) {
	renewed := moment{}
	for _, m := range said {
		m.revision = revision
		reached, known := h.leases.without(key)
		if m.at.After(h.latest) || known && m.at.After(reached.Add(clocksTogether)) {
			h.liars[key] = m
		}
		if m.at.After(h.newest[key].at) {
			h.newest[key] = m
		}
		if m.what == renewTime {
			renewed = m
		}
	}
	if _, lies := h.liars[key]; !lies && renewed.what != "" {
		h.leases.add(key, renewed.at)
	}
}

// content weighs what was heard.
func (h *heard) content() Content {
	var newest moment
	for key, m := range h.newest {
		if _, lies := h.liars[key]; !lies && (m.at.After(newest.at) || m.at.Equal(newest.at) && m.revision > newest.revision) {
			newest = m
		}
	}
	if newest.what == "" {
		return Content{Source: h.silence()}
	}
	return Content{At: newest.at.UTC(), Source: newest.String()}
}

// silence says why nothing tells the age.
func (h *heard) silence() string {
	if h.entries == 0 {
		return "it holds no keys"
	}
	for _, m := range h.liars {
		return fmt.Sprintf("%s is %s, which is still to come", m, m.at.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("none of its newest %d revisions holds an object under %s that can be read and speaks of a time", h.entries, h.prefix)
}

// renewals are the times that the Leases of the revisions so far were renewed
// at: how far time had come in the cluster. A Lease can be written without
// being renewed, so that one alone proves nothing.
type renewals struct {
	first, second renewal
	// third says that there were more.
	third bool
}

type renewal struct {
	key string
	at  time.Time
}

func (r *renewals) add(key string, at time.Time) {
	this := renewal{key, at}
	switch {
	case r.first.key == "" || r.first.key == key:
		r.first.key, r.first.at = key, newer(r.first.at, at)
	case r.second.key == "" || r.second.key == key:
		r.second.key, r.second.at = key, newer(r.second.at, at)
	default:
		r.third = true
		if at.After(r.second.at) {
			r.second = this
		}
	}
	if r.second.at.After(r.first.at) {
		r.first, r.second = r.second, r.first
	}
}

// without gives the latest renewal by others than key, when there are two or
// more of them.
func (r *renewals) without(key string) (time.Time, bool) {
	if r.first.key == key {
		return r.second.at, r.third
	}
	return r.first.at, r.second.key != "" && (r.second.key != key || r.third)
}

func (r *renewals) several() bool { return r.third }

func newer(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
