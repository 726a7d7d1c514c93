package apiserver

import (
	"fmt"
	"maps"
	"slices"
)

// sum adds up what was found, in the order of names.
func (c *comparison) sum(plan []subject, tallies []*tally) Compared {
	sum := Compared{Counts: map[string]int64{}, Skipped: map[string]string{}, Untold: map[string]string{}, Compacted: c.compacted.Load()}
	var lost, different, missing, extra problems
	listed := map[string]bool{}
	for i, t := range tallies {
		name := plan[i].name
		listed[name] = !plan[i].onlyLiving
		if t.whole {
			sum.Objects += t.listed
			sum.Counts[name] = t.listed
			c.count(name, t.listed, &lost, &extra)
		}
		switch {
		case t.untold != "":
			sum.Untold[name] = t.untold
		case t.skipped != "":
			sum.Skipped[name] = t.skipped
		case t.compared:
			sum.Resources++
			sum.Equal += t.equal
		}
		sum.Moved += t.moved
		different.join(t.different)
		missing.join(t.missing)
		extra.join(t.extra)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Stored)) {
		if stored := c.Stored[name]; !listed[name] && stored > 0 && !internal(name) {
			lost.addMany(fmt.Sprintf("%s are stored, but the restored API server does not serve them", amount(stored, name)), stored)
		}
	}
	lost.join(missing) // whole resources first
	sum.Different, sum.DifferentCount = different.first, different.count
	sum.Missing, sum.MissingCount = lost.first, lost.count
	sum.Extra, sum.ExtraCount = extra.first, extra.count
	return sum
}

// count holds a list against the keys that the walk found.
func (c *comparison) count(name string, listed int64, missing, extra *problems) {
	if c.Stored == nil {
		return
	}
	switch stored := c.Stored[name]; {
	case listed < stored:
		missing.addMany(fmt.Sprintf("%s are stored, but the restored API server lists %d", amount(stored, name), listed), stored-listed)
	case listed > stored:
		extra.addMany(fmt.Sprintf("the restored API server lists %s, but %d are stored", amount(listed, name), stored), listed-stored)
	}
}

// internal says of keys that the API server keeps for itself and serves to
// nobody: allocated addresses and ports, addresses of API servers, and of keys
// that have no known layout
// (k8s.io/kubernetes, pkg/registry/core/rest and pkg/controlplane/reconcilers).
func internal(name string) bool {
	return slices.Contains([]string{"", "ranges", "masterleases", "peerserverleases"}, name)
}
