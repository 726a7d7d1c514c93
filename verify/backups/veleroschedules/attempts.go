package veleroschedules

import (
	"cmp"
	"slices"
	"time"
)

// fewAttempts is how many backups of a Schedule an event names whatever they are.
const fewAttempts = 3

// remember writes down of all backups of a Schedule what a verdict may rest on:
// the newest few, the one that counts, the one before it, and the one that has
// been unfinished for longest. The rest is counted.
func (s *scheduleSeen) remember(all []backupSeen, now time.Time) {
	slices.SortFunc(all, func(a, b backupSeen) int {
		return cmp.Or(b.moment().Compare(a.moment()), cmp.Compare(b.Name, a.Name))
	})
	s.Kept, s.Attempts = len(all), all
	newest, before := s.newest(now)
	var stuck *backupSeen
	for i := range all {
		b := &all[i]
		why := ""
		if b.Phase == phaseCompleted {
			why = b.discounted(*s, now)
		}
		switch {
		case why != "":
			s.NotCounted = counted(s.NotCounted, why)
		case !b.ended():
			stuck = b
		case s.failedIn(*b) && (newest == nil || b.moment().After(newest.moment())):
			s.Later = counted(s.Later, b.Phase)
		}
	}
	s.Attempts = nil
	for i := range all {
		if b := &all[i]; i < fewAttempts || b == newest || b == before || b == stuck {
			s.Attempts = append(s.Attempts, *b)
		}
	}
}

func counted(counts map[string]int, what string) map[string]int {
	if counts == nil {
		counts = map[string]int{}
	}
	counts[what]++
	return counts
}
