package files

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errCut says that a side ended before its end; the side itself knows why.
var errCut = errors.New("a side ended before it was whole")

// merger brings both sides together by path. It remembers the directories from the
// root to where it is, and nothing else.
type merger struct {
	judge    judge
	source   side
	restored side
	dirs     []*directory
	report   func()
}

// side is one of the streams, with its next entry.
type side struct {
	lines <-chan told
	next  *entry
	ended bool
	// again takes news of a directory that was met before.
	again func(*directory, *entry)
}

// directory is one on the way to where the merge is.
type directory struct {
	path string
	// source and restored are nil where that side has no directory of that path.
	source, restored *entry
	// blind says why what is in it is not known on a side, empty where it is.
	blindSource, blindRestored string
	// moved says that it, or one above, seems to have got its name since the backup.
	moved bool
	// cache is the path of it, or of one above, that kopia takes for a cache.
	cache string
	// ignored is the rule by which all in it is ignored.
	ignored Rule
	// listed is the difference that stands for what is in it, too.
	listed *listed
}

type listed struct {
	difference *Difference
	label      Label
	kind       Kind
}

func newMerger(j judge, source, restored <-chan told, report func()) *merger {
	m := &merger{judge: j, report: report}
	m.source = side{lines: source, again: func(d *directory, e *entry) {
		d.source, d.blindSource = newer(d.source, e), orElse(e.Error, d.blindSource)
	}}
	m.restored = side{lines: restored, again: func(d *directory, e *entry) {
		d.restored, d.blindRestored = newer(d.restored, e), orElse(e.Error, d.blindRestored)
	}}
	return m
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// newer keeps what was known when the news are only that something failed.
func newer(known, news *entry) *entry {
	if news.ChangeTime == 0 {
		return known
	}
	return news
}

// progressEvery is how often the way covered is told.
const progressEvery = 5 * time.Second

// run merges until both sides have ended.
func (m *merger) run(ctx context.Context) error {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		for _, side := range []*side{&m.source, &m.restored} {
			if err := m.fill(ctx, side, tick.C); err != nil {
				return err
			}
		}
		s, r := m.source.next, m.restored.next
		switch {
		case s == nil && r == nil:
			return nil
		case s == nil:
			m.restored.next = nil
		case r == nil:
			m.source.next = nil
		default:
			switch order := comparePaths(s.Path, r.Path); {
			case order < 0:
				r, m.source.next = nil, nil
			case order > 0:
				s, m.restored.next = nil, nil
			default:
				m.source.next, m.restored.next = nil, nil
			}
		}
		if err := m.visit(s, r); err != nil {
			return err
		}
	}
}

// fill gets the next entry of a side. News of directories are taken in at once:
// the directory is still one of those on the way.
func (m *merger) fill(ctx context.Context, side *side, tick <-chan time.Time) error {
	for side.next == nil && !side.ended {
		select {
		case t, open := <-side.lines:
			switch {
			case !open:
				return errCut
			case t.entry == nil:
				side.ended = true
			case !t.again:
				side.next = t.entry
			default:
				for _, d := range m.dirs {
					if d.path == t.entry.Path {
						side.again(d, t.entry)
					}
				}
			}
		case <-tick:
			m.report()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// visit judges one path, of which a side may be nil.
func (m *merger) visit(s, r *entry) error {
	path := pathOf(s, r)
	for len(m.dirs) > 0 && (path == root || m.dirs[len(m.dirs)-1].path != parent(path)) {
		m.dirs = m.dirs[:len(m.dirs)-1]
	}
	if path == root {
		m.enter(m.judge.root(s, r))
		return nil
	}
	if len(m.dirs) == 0 {
		return fmt.Errorf("comparing %s: its directory was not told", show(path))
	}
	if below := m.judge.entry(m.dirs[len(m.dirs)-1], m.dirs, s, r); below != nil {
		m.enter(below)
	}
	return nil
}

func (m *merger) enter(d *directory) { m.dirs = append(m.dirs, d) }

func pathOf(s, r *entry) string {
	if s != nil {
		return s.Path
	}
	return r.Path
}
