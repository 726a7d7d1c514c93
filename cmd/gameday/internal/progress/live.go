package progress

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify/report"
)

// What is said to the terminal. Lines that are cut too long, for letters of
// double width, must not wrap: the next repaint counts lines.
const (
	noWrap     = "\x1b[?7l"
	wrap       = "\x1b[?7h"
	up         = "\x1b[%dA\r"
	clearLine  = "\x1b[K"
	clearBelow = "\x1b[J"

	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

// live repaints the view in place. Each frame is one write, ends below its
// last line and leaves the terminal as it found it.
type live struct {
	w       io.Writer
	options Options
	model   *model
	frame   int
	painted []int // the lengths of the lines on the screen
}

func (l *live) every() time.Duration { return 100 * time.Millisecond }

func (l *live) event(event journal.Event) { l.model.apply(event) } // the next tick shows it

func (l *live) tick(now time.Time) {
	l.frame++
	l.paint(now)
}

func (l *live) clear() {
	if n := l.rowsOnScreen(size(l.options.Width, 80)); n > 0 {
		_, _ = fmt.Fprintf(l.w, up+clearBelow, n)
	}
	l.painted = nil
}

func (l *live) end() {
	l.model.over = true // nothing spins any more
	l.paint(time.Now())
	l.painted = nil // it stays on the screen
}

func (l *live) paint(now time.Time) {
	width, height := size(l.options.Width, 80), size(l.options.Height, 24)
	rows, active := l.rows(now, width-1)
	rows = window(rows, active, height-1)
	var out strings.Builder
	out.WriteString(noWrap)
	if n := l.rowsOnScreen(width); n > 0 {
		fmt.Fprintf(&out, up, n)
	}
	l.painted = l.painted[:0]
	for _, row := range rows {
		out.WriteString("\r" + row.String(l.options.Color) + clearLine + "\n")
		l.painted = append(l.painted, min(row.length(), width))
	}
	out.WriteString(clearBelow + wrap)
	_, _ = io.WriteString(l.w, out.String())
}

// rowsOnScreen counts what the last frame takes now: a terminal that was made
// narrower has broken its lines.
func (l *live) rowsOnScreen(width int) int {
	rows := 0
	for _, length := range l.painted {
		rows += max(1, (length+width-1)/width)
	}
	return rows
}

func size(of func() int, otherwise int) int {
	if of == nil {
		return otherwise
	}
	if n := of(); n > 0 {
		return n
	}
	return otherwise
}

// window keeps the header and what surrounds the active row.
func window(rows []row, active, room int) []row {
	if len(rows) <= room || room < 2 {
		return rows[:min(len(rows), max(room, 1))]
	}
	from := min(max(active-room/2, 1), len(rows)-room+1)
	return append(rows[:1:1], rows[from:from+room-1]...)
}

// row is one line: a coloured mark, then text cut to the width.
type row struct {
	mark, color, text string
}

func (r row) length() int { return utf8.RuneCountInString(r.mark + r.text) }

func (r row) String(color bool) string {
	if !color || r.color == "" {
		return r.mark + r.text
	}
	return r.color + r.mark + reset + r.text
}

// rows lays the view out, and says which row matters most.
func (l *live) rows(now time.Time, width int) (rows []row, active int) {
	m := l.model
	if m.started.IsZero() {
		return []row{cut(row{text: m.phase}, width)}, 0
	}
	add := func(r row) { rows = append(rows, cut(r, width)) }
	ended := now
	if m.phase == "finished" {
		ended = m.since
	}
	add(row{text: fmt.Sprintf("%s   %s   seed %d   %s   %s",
		report.Printable(m.info.Scenario), report.Printable(m.info.Cluster), m.info.Seed, m.phase, elapsed(m.started, ended))})
	column := nameColumn(m, width)
	for _, s := range m.steps {
		if s.doing != "" || (active == 0 && s.state == "") {
			active = len(rows)
		}
		mark, color := l.markOf(s)
		text := s.latest
		if s.doing != "" && !m.over {
			text = s.doing + " " + elapsed(s.since, now)
			if s.latest != "" {
				text += "  " + s.latest
			}
		}
		add(row{"  " + mark + "  ", color, pad(s.name, column) + report.Printable(text)})
	}
	for _, c := range m.checks {
		mark, color := "..", dim
		if c.blind {
			mark, color = "??", yellow
		}
		text := c.state
		if c.latest != "" {
			text += ": " + c.latest
		}
		add(row{"  " + mark + "  ", color, pad(c.name, column) + report.Printable(text)})
	}
	if m.notice != "" {
		add(row{text: report.Printable(m.notice)})
	}
	return rows, active
}

func (l *live) markOf(s *step) (mark, color string) {
	switch {
	case s.notDone:
		return "XX", red
	case s.doing != "" && !l.model.over:
		return string(`|/-\`[l.frame%4]) + " ", ""
	case s.state == "":
		return "  ", ""
	case s.state == journal.Skipped:
		return "--", dim
	case s.state == journal.Failed:
		return "??", yellow
	case !s.match:
		return "XX", red
	default:
		return "ok", green
	}
}

func nameColumn(m *model, width int) int {
	longest := 0
	for _, s := range m.steps {
		longest = max(longest, utf8.RuneCountInString(s.name))
	}
	for _, c := range m.checks {
		longest = max(longest, utf8.RuneCountInString(c.name))
	}
	return min(longest, max(width/3, 8)) + 2
}

func pad(name string, column int) string {
	name = shorten(report.Printable(name), column-2)
	return name + strings.Repeat(" ", column-utf8.RuneCountInString(name))
}

func cut(r row, width int) row {
	r.text = strings.TrimRight(shorten(r.text, max(width-utf8.RuneCountInString(r.mark), 0)), " ")
	return r
}

// shorten keeps the beginning of s and shows that there was more.
func shorten(s string, width int) string {
	runes := []rune(s)
	if len(runes) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	return string(runes[:width-1]) + "…"
}
