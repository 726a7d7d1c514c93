package availability

import (
	"slices"
	"time"
)

// stretch is a half-open piece of time.
type stretch struct{ from, to time.Time }

func (s stretch) length() time.Duration { return max(0, s.to.Sub(s.from)) }

func (s stretch) holds(at time.Time) bool { return !at.Before(s.from) && at.Before(s.to) }

// within cuts the stretch to the bounds; the result may be empty.
func (s stretch) within(bounds stretch) stretch {
	if s.from.Before(bounds.from) {
		s.from = bounds.from
	}
	if s.to.After(bounds.to) {
		s.to = bounds.to
	}
	return s
}

// total is how long the stretches are together, overlaps counted once.
func total(stretches []stretch) time.Duration {
	var sum time.Duration
	for _, s := range union(stretches) {
		sum += s.length()
	}
	return sum
}

// union joins stretches that overlap or touch.
func union(stretches []stretch) []stretch {
	sorted := slices.Clone(stretches)
	slices.SortFunc(sorted, func(a, b stretch) int { return a.from.Compare(b.from) })
	var joined []stretch
	for _, s := range sorted {
		if s.length() == 0 {
			continue
		}
		if last := len(joined) - 1; last >= 0 && !s.from.After(joined[last].to) {
			if s.to.After(joined[last].to) {
				joined[last].to = s.to
			}
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// without cuts holes out of stretches.
func without(stretches, holes []stretch) []stretch {
	var left []stretch
	holes = union(holes)
	for _, s := range union(stretches) {
		for len(holes) > 0 && !holes[0].to.After(s.from) {
			holes = holes[1:]
		}
		for _, hole := range holes { // the last of them may reach into the next stretch
			if !hole.from.Before(s.to) {
				break
			}
			if before := (stretch{s.from, hole.from}); before.length() > 0 {
				left = append(left, before)
			}
			s.from = later(s.from, hole.to)
		}
		if s.length() > 0 {
			left = append(left, s)
		}
	}
	return left
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
