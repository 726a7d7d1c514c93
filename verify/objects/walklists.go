package objects

import (
	"cmp"
	"slices"
	"strings"

	"gameday.dev/gameday/internal/kube"
)

// lists compares two lists: by the keys of their items where they have some,
// else by their places.
func (w *walker) lists(wanted, found []any, s *shape) {
	if sameLists(wanted, found) {
		return
	}
	list := guessed()
	if s != nil {
		list = s.list
	}
	if list.by != byIndex {
		theirs, ours := list.index(wanted), list.index(found)
		if theirs != nil && ours != nil {
			w.keyedLists(wanted, found, theirs, ours, list, s)
			return
		}
	}
	w.plainLists(wanted, found, s)
}

func (w *walker) keyedLists(wanted, found []any, inWanted, inFound map[string]int, list listing, s *shape) {
	for i, item := range wanted {
		name, _ := list.nameOf(item)
		at := list.step(name)
		at.wanted = item
		j, ok := inFound[name]
		if ok {
			at.found = found[j]
		}
		w.push(at)
		if ok {
			w.values(item, found[j], s.item(), nil)
		} else {
			w.oneSided(wanted[i], s.item(), true, false)
		}
		w.pop()
	}
	for _, item := range found {
		name, _ := list.nameOf(item)
		if _, ok := inWanted[name]; ok {
			continue
		}
		at := list.step(name)
		at.found = item
		w.push(at)
		w.oneSided(item, s.item(), false, false)
		w.pop()
	}
	if list.ordered && !list.sameOrder(wanted, inFound) {
		w.emit(Order, names(wanted, list), names(found, list))
	}
}

// step is the one to the item of that name.
func (l listing) step(name string) step {
	if l.by == byValue {
		return step{sort: valued, name: name}
	}
	return step{sort: keyed, key: l.key, name: name}
}

// sameOrder says whether the items that both lists have stand in one order.
func (l listing) sameOrder(wanted []any, inFound map[string]int) bool {
	last := -1
	for _, item := range wanted {
		name, _ := l.nameOf(item)
		at, ok := inFound[name]
		if !ok {
			continue
		}
		if at < last {
			return false
		}
		last = at
	}
	return true
}

// names gives the keys of a list in its order.
func names(items []any, list listing) any {
	all := make([]string, len(items))
	for i, item := range items {
		all[i], _ = list.nameOf(item)
	}
	return strings.Join(all, ", ")
}

// plainLists compares lists whose items have no names. What is the same at
// their beginnings and ends is set aside, so that an item that was put in or
// taken out is told as one. What is left is taken pair by pair.
func (w *walker) plainLists(wanted, found []any, s *shape) {
	start, end := 0, 0
	if len(wanted) != len(found) {
		shorter := min(len(wanted), len(found))
		for start < shorter && same(wanted[start], found[start]) {
			start++
		}
		for end < shorter-start && same(wanted[len(wanted)-1-end], found[len(found)-1-end]) {
			end++
		}
	}
	wanted, found = wanted[start:len(wanted)-end], found[start:len(found)-end]
	for i := range max(len(wanted), len(found)) {
		at := step{sort: indexed, index: start + i}
		switch {
		case i >= len(found):
			w.push(sided(at, wanted[i], true))
			w.oneSided(wanted[i], s.item(), true, false)
		case i >= len(wanted):
			w.push(sided(at, found[i], false))
			w.oneSided(found[i], s.item(), false, false)
		default:
			at.wanted, at.found = wanted[i], found[i]
			w.push(at)
			w.values(wanted[i], found[i], s.item(), nil)
		}
		w.pop()
	}
}

// stepsOf says how the items of a list that only one side has are called.
func stepsOf(s *shape, items []any) listing {
	list := guessed()
	if s != nil {
		list = s.list
	}
	if list.by != byIndex && list.index(items) == nil {
		return listing{}
	}
	return list
}

// stepTo is the step to one of them.
func (l listing) stepTo(item any, i int) step {
	if l.by == byIndex {
		return step{sort: indexed, index: i}
	}
	name, _ := l.nameOf(item)
	return l.step(name)
}

// alike compares scalars that are not the same by what their type makes of
// them.
func alike(a, b any, s *shape) bool {
	if s == nil || !s.quantity && !s.intOrString {
		return false
	}
	x, ok := scalarText(a)
	if !ok {
		return false
	}
	y, ok := scalarText(b)
	if !ok {
		return false
	}
	if s.intOrString {
		return x == y
	}
	p, err := kube.Quantity(x)
	if err != nil {
		return false
	}
	q, err := kube.Quantity(y)
	return err == nil && p.Cmp(q) == 0
}

// sortFindings puts them in the order of their paths: maps are walked in none.
func sortFindings(found []finding) {
	slices.SortStableFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.what, b.what))
	})
}
