package scratch

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// mostDamage is how many findings are named; all are counted.
const mostDamage = 20

// damage collects what is wrong with a database. Those that come first in the
// file are named, whoever finds them first.
type damage struct {
	mu    sync.Mutex
	found []finding
	count int64
}

// finding is something wrong on a page.
type finding struct {
	page uint64
	text string
}

func (d *damage) add(page uint64, format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count++
	if len(d.found) >= 10*mostDamage {
		d.trim()
	}
	d.found = append(d.found, finding{page, fmt.Sprintf(format, args...)})
}

func (d *damage) trim() {
	slices.SortFunc(d.found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.page, b.page), cmp.Compare(a.text, b.text))
	})
	d.found = d.found[:min(len(d.found), mostDamage)]
}

// named gives the first findings.
func (d *damage) named() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trim()
	var texts []string
	for _, f := range d.found {
		texts = append(texts, f.text)
	}
	return texts
}

// none says that nothing was found so far.
func (d *damage) none() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count == 0
}
