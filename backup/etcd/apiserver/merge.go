package apiserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// attempts bounds how often the living cluster's list of now is begun again
// because its history went on too fast.
const attempts = 3

// compare compares one resource. The error is that a server is gone.
func (c *comparison) compare(ctx context.Context, s subject) (*tally, error) {
	if s.skip != "" || s.untold != "" {
		return &tally{skipped: s.skip, untold: s.untold}, nil
	}
	if !c.compacted.Load() {
		t, err := c.compareAt(ctx, s, c.Revision)
		if !errors.Is(err, errCompacted) {
			return t, err
		}
		c.compacted.Store(true)
	}
	for range attempts {
		t, err := c.compareAt(ctx, s, 0)
		if !errors.Is(err, errCompacted) {
			return t, err
		}
	}
	return &tally{untold: fmt.Sprintf("the living cluster compacts its history faster than it can be listed (%d attempts)", attempts)}, nil
}

const errCompacted constantError = "the living cluster's history does not reach back"

// compareAt compares with the living cluster at a revision, or as it is now (0).
func (c *comparison) compareAt(ctx context.Context, s subject, revision int64) (*tally, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the readers
	var restored, living *cursor
	if !s.onlyLiving {
		restored = read(ctx, &pages{side: c.restored, path: s.path, revision: c.Revision})
	}
	if !s.onlyRestored {
		living = read(ctx, &pages{side: c.living, path: s.path, revision: revision})
	}
	m := &merge{comparison: c, subject: s, now: revision == 0, found: &tally{}}
	switch {
	case restored == nil:
		return m.lost(ctx, living)
	case living == nil:
		return m.alone(ctx, restored)
	default:
		return m.both(ctx, restored, living)
	}
}

// merge walks through both sides of a resource in the order of keys.
type merge struct {
	*comparison
	subject
	found *tally
	now   bool  // the living side is that of now, not of the snapshot's revision
	told  int64 // of the restored objects, as progress
}

func (m *merge) both(ctx context.Context, restored, living *cursor) (*tally, error) {
	for {
		r, l := restored.head(ctx), living.head(ctx)
		if restored.err != nil || living.err != nil {
			break
		}
		switch {
		case r == nil && l == nil:
			m.found.listed, m.found.whole, m.found.compared = restored.count, true, true
			return m.found, nil
		case r == nil || l != nil && l.key < r.key:
			m.onlyThere(l)
			living.advance()
		case l == nil || r.key < l.key:
			m.onlyHere(r)
			m.step(restored)
		default:
			m.pair(l, r)
			living.advance()
			m.step(restored)
		}
	}
	return m.broken(ctx, restored, living)
}

func (m *merge) step(restored *cursor) {
	restored.advance()
	if len(restored.items) == 0 { // once a page
		m.progress(restored.count - m.told)
		m.told = restored.count
	}
}

// onlyThere takes an object that only the living cluster has.
func (m *merge) onlyThere(l *item) {
	switch {
	case !m.now:
		m.found.missing.add(m.object(l.key))
	case m.fleeting():
	case l.revision <= m.Revision: // unchanged since, so that the snapshot must have it
		m.found.missing.add(m.object(l.key))
	default:
		m.found.moved++
	}
}

// onlyHere takes an object that only the restored side has.
func (m *merge) onlyHere(r *item) {
	switch {
	case !m.now:
		m.found.extra.add(m.object(r.key))
	case m.fleeting():
	default:
		m.found.moved++ // deleted since, as far as can be told
	}
}

func (m *merge) pair(l, r *item) {
	if m.now && (l.uid != r.uid || l.revision != r.revision) && l.revision > m.Revision {
		if !m.fleeting() {
			m.found.moved++
		}
		return
	}
	if bytes.Equal(l.raw, r.raw) {
		m.found.equal++
		return
	}
	switch words := differences(l.raw, r.raw); {
	case words == "":
		m.found.equal++
	case m.schemaChanged:
		// The servers make of the same bytes what their definitions say.
		m.found.untold = "its CustomResourceDefinition has changed since the snapshot, and with it what the living cluster makes of what it stores"
	default:
		m.found.different.add(m.object(r.key) + ": " + words)
	}
}

// lost takes a resource that the restored server does not serve.
func (m *merge) lost(ctx context.Context, living *cursor) (*tally, error) {
	var held, since int64
	for l := living.head(ctx); l != nil; l = living.head(ctx) {
		if m.now && l.revision > m.Revision {
			since++
		} else {
			held++
		}
		living.advance()
	}
	if living.err != nil {
		return m.broken(ctx, &cursor{}, living)
	}
	if held > 0 && (!m.now || !m.fleeting()) {
		m.found.missing.addMany(fmt.Sprintf("%s of the living cluster: the restored API server does not serve them", amount(held, m.name)), held)
		return m.found, nil
	}
	m.found.moved += since
	m.found.skipped = "the restored API server does not serve it, and the living cluster had none at the snapshot's revision"
	return m.found, nil
}

// alone takes a resource that the living cluster does not serve any more.
func (m *merge) alone(ctx context.Context, restored *cursor) (*tally, error) {
	for restored.head(ctx) != nil {
		m.step(restored)
	}
	if restored.err != nil {
		return m.broken(ctx, restored, &cursor{})
	}
	m.found.listed, m.found.whole = restored.count, true
	if m.gone {
		m.found.moved += restored.count
		m.found.skipped = "its CustomResourceDefinition has been deleted from the living cluster since"
	} else if restored.count > 0 {
		m.found.untold = "the living cluster does not serve it"
	} else {
		m.found.skipped = "the living cluster does not serve it, and there are none"
	}
	return m.found, nil
}

// broken says what it means that a side could not be listed.
func (m *merge) broken(ctx context.Context, restored, living *cursor) (*tally, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("comparing %s: %w", m.name, context.Cause(ctx))
	}
	if living.err != nil {
		return m.brokenLiving(living.err)
	}
	if unheard(restored.err) {
		return nil, fmt.Errorf("listing %s on the restored API server: %w", m.name, restored.err)
	}
	what := troubleOf(restored.err)
	if what.excused {
		return &tally{untold: "the restored API server could not list it: " + what.text}, nil
	}
	// It counts against the data only when the living cluster has no such trouble.
	for living.batches != nil && living.head(ctx) != nil {
		living.advance()
	}
	if living.err != nil {
		return m.brokenLiving(living.err)
	}
	t := &tally{}
	t.missing.addMany(fmt.Sprintf("%s: the restored API server can't list them: %s", amount(max(m.Stored[m.name], living.count, 1), m.name), what.text),
		max(m.Stored[m.name], living.count, 1))
	return t, nil
}

func (m *merge) brokenLiving(err error) (*tally, error) {
	switch {
	case unheard(err):
		return nil, fmt.Errorf("listing %s in the living cluster: %w", m.name, err)
	case apierrors.IsResourceExpired(err) || apierrors.IsGone(err):
		return nil, errCompacted
	case tooNew(err):
		return nil, fmt.Errorf("listing %s in the living cluster: it has not reached revision %d: it is another cluster, or was restored since", m.name, m.Revision)
	}
	return &tally{untold: "the living cluster could not list it: " + troubleOf(err).text}, nil
}

// fleeting says that objects of this kind come and go by themselves: across
// time, nothing is owed of them.
func (m *merge) fleeting() bool {
	return slices.Contains([]string{"events", "leases.coordination.k8s.io", "leasecandidates.coordination.k8s.io"}, m.name)
}

// object names one as people do: "Secret shop/db".
func (m *merge) object(key string) string { return m.kind + " " + key }

func amount(count int64, resource string) string { return fmt.Sprintf("%d %s", count, resource) }
