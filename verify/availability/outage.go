package availability

import (
	"sort"
	"time"
)

// outage is one stretch below the floor.
type outage struct {
	stretch
	// lowest is the count at its worst.
	lowest countEvent
	// first is the count that broke the floor.
	first countEvent
}

// outages joins the segments below the floor.
func outages(segments []segment) []outage {
	var found []outage
	joined := false
	for _, s := range segments {
		if !s.below() {
			joined = false
			continue
		}
		if !joined {
			found = append(found, outage{stretch: s.stretch, lowest: s.countEvent, first: s.countEvent})
			joined = true
			continue
		}
		last := &found[len(found)-1]
		last.to = s.to
		if s.Available < last.lowest.Available {
			last.lowest = s.countEvent
		}
	}
	return found
}

// bounds is how long the floor was broken: certainly and possibly. They differ
// where the check's eyes were shut.
type bounds struct {
	certain, possible time.Duration
	// seen is set when the floor was broken at all, for however short a time.
	seen bool
	// doubtful are the gaps that make the difference.
	doubtful []gapEvent
	// harmless is how many gaps leave no doubt.
	harmless int
}

// bound works out how long the floor was broken, at the least and at the most.
func (h *history) bound(segments []segment, outages []outage) bounds {
	b := bounds{seen: len(outages) > 0}
	below := make([]stretch, 0, len(outages))
	for _, o := range outages {
		below = append(below, o.stretch)
	}
	var doubts []stretch
	for _, gap := range h.gaps {
		if gap.Watch != watchPods && gap.Watch != watchConnection {
			continue // What it missed doesn't change the count.
		}
		inside := stretch{gap.From, gap.To}.within(h.judged)
		if inside.length() == 0 {
			continue
		}
		if h.doubtful(gap, inside, segments) {
			b.doubtful = append(b.doubtful, gap)
			doubts = append(doubts, inside)
		} else {
			b.harmless++
		}
	}
	b.certain = total(without(below, doubts))
	b.possible = total(append(doubts, below...))
	return b
}

// doubtful says whether the floor may have been broken in a gap for another
// length of time than the counts show.
//
// In a lost gap anything may have happened, except to pods that are proven to
// have been steady. In a gap that was only late, every count is known, but not
// when it was so: there is doubt when some of them are below the floor and some
// are not.
func (h *history) doubtful(gap gapEvent, inside stretch, segments []segment) bool {
	if gap.Lost {
		before, ok := h.at(inside.from)
		return !ok || gap.Steady < before.Floor
	}
	some, all := false, true
	first := sort.Search(len(segments), func(i int) bool { return !segments[i].to.Before(inside.from) })
	for _, s := range segments[first:] {
		if s.from.After(inside.to) {
			break
		}
		touches := s.within(inside).length() > 0 || inside.holds(s.from)
		if touches && s.below() {
			some = true
		} else if touches {
			all = false
		}
	}
	return some && !all
}

// recovery is what became of the full count after the last fault.
type recovery struct {
	state recoveryState
	// took is from the end of the faults to the full count.
	took     time.Duration
	deadline time.Time
	last     countEvent // at the end of the time that was looked at
}

type recoveryState int

const (
	notYet    recoveryState = iota // the faults are not over, or the deadline isn't
	recovered                      // the full count was back in time
	late                           // it was not
	unknown                        // nobody looked
)

// recover finds when the full count was back for good, as far as the deadline.
// A count that was full for a moment and then fell again has not recovered.
func (h *history) recover(segments []segment, within time.Duration) recovery {
	if h.Settling.IsZero() || len(segments) == 0 {
		return recovery{}
	}
	r := recovery{deadline: h.Settling.Add(within)}
	window := stretch{h.Settling, earlier(h.judged.to, r.deadline)}
	back := h.Settling
	whole := false
	for _, s := range segments {
		if s.from.After(window.to) || s.to.Before(window.from) {
			continue
		}
		if s.full() && !whole {
			back = later(s.from, h.Settling)
		}
		whole = s.full()
		r.last = s.countEvent
	}
	switch {
	case h.blindAt(window.to) && !h.ended && h.judged.to.Before(r.deadline):
		r.state = notYet // the count may be seen again in time
	case h.blindAt(window.to), h.lateAt(window.to, whole, segments):
		r.state = unknown
	case whole && h.cut:
		r.state = unknown // it was back, and nobody saw whether it stayed
	case whole:
		r.state, r.took = recovered, back.Sub(h.Settling)
	case !h.judged.to.Before(r.deadline):
		r.state = late
	case h.ended || h.cut:
		r.state = unknown
	}
	return r
}

// lateAt says whether a change between whole and not, stamped after a moment,
// was delivered late and so may have come before it.
func (h *history) lateAt(moment time.Time, whole bool, segments []segment) bool {
	for _, gap := range h.gaps {
		if gap.Lost || gap.Watch != watchPods && gap.Watch != watchConnection || !(stretch{gap.From, gap.To}).holds(moment) {
			continue
		}
		for _, s := range segments {
			if s.from.After(moment) && !s.from.After(gap.To) && s.full() != whole {
				return true
			}
		}
	}
	return false
}

// blindAt says whether the count at a moment was lost to a gap.
func (h *history) blindAt(moment time.Time) bool {
	for _, gap := range h.gaps {
		if gap.Lost && (gap.Watch == watchPods || gap.Watch == watchConnection) &&
			gap.From.Before(moment) && !gap.To.Before(moment) {
			count, ok := h.at(gap.From)
			if !ok || gap.Steady < max(count.Desired, count.Floor) {
				// A list that was made at this very moment shows the count again.
				if after, ok := h.at(gap.To); gap.To.Equal(moment) && ok && after.At.Equal(gap.To) {
					continue
				}
				return true
			}
		}
	}
	return false
}
