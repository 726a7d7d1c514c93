package progress

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// terminal understands what the live view says to one, and nothing else: an
// escape sequence it does not know fails the test.
type terminal struct {
	t     *testing.T
	mu    sync.Mutex
	width int
	rows  [][]rune
	row   int
	col   int
	nowrap,
	hidden bool
	bytes int
}

func (v *terminal) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.bytes += len(p)
	size := len(p)
	for len(p) > 0 {
		if bytes.HasPrefix(p, []byte("\x1b[")) {
			end := bytes.IndexFunc(p[2:], func(r rune) bool { return r >= 'A' && r <= 'z' })
			v.sequence(string(p[2:2+end]), p[2+end])
			p = p[3+end:]
			continue
		}
		r, n := utf8.DecodeRune(p)
		p = p[n:]
		switch r {
		case '\r':
			v.col = 0
		case '\n':
			v.row, v.col = v.row+1, 0
		default:
			v.put(r)
		}
	}
	return size, nil
}

func (v *terminal) sequence(arg string, command byte) {
	switch {
	case command == 'A':
		n, err := strconv.Atoi(arg)
		if err != nil || n < 1 || n > v.row {
			v.t.Errorf("up by %q from row %d", arg, v.row)
			n = v.row
		}
		v.row -= n
	case command == 'K' && arg == "":
		v.at()
		v.rows[v.row] = v.rows[v.row][:min(v.col, len(v.rows[v.row]))]
	case command == 'J' && arg == "":
		v.at()
		v.rows[v.row] = v.rows[v.row][:min(v.col, len(v.rows[v.row]))]
		v.rows = v.rows[:v.row+1]
	case strings.HasPrefix(arg, "?7"):
		v.nowrap = command == 'l'
	case arg == "?25":
		v.hidden = command == 'l'
	case command == 'm':
	default:
		v.t.Errorf("unknown sequence CSI %s%c", arg, command)
	}
}

func (v *terminal) at() {
	for len(v.rows) <= v.row {
		v.rows = append(v.rows, nil)
	}
}

func (v *terminal) put(r rune) {
	if r < ' ' || r == 0x7f {
		v.t.Errorf("control character %q", r)
	}
	if v.col == v.width {
		if v.nowrap {
			v.col--
		} else {
			v.row, v.col = v.row+1, 0
		}
	}
	v.at()
	for len(v.rows[v.row]) <= v.col {
		v.rows[v.row] = append(v.rows[v.row], ' ')
	}
	v.rows[v.row][v.col] = r
	v.col++
}

// resize breaks the lines as terminals do.
func (v *terminal) resize(width int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var rows [][]rune
	cursor := v.row
	for i, row := range v.rows {
		if i == cursor {
			v.row = len(rows)
		}
		for len(row) > width {
			rows = append(rows, row[:width:width])
			row = row[width:]
		}
		rows = append(rows, row)
	}
	v.width, v.rows = width, rows
}

func (v *terminal) size() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.width
}

func (v *terminal) String() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out strings.Builder
	for _, row := range v.rows {
		fmt.Fprintln(&out, strings.TrimRight(string(row), " "))
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}
