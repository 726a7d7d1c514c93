package availability

import (
	"slices"
	"sort"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// history is what the record holds for this check, in the order of time.
type history struct {
	verify.Timeline
	// judged is the time that counts: from the baseline to the end.
	judged stretch
	// ended is set when the observer has finished: no more is to come.
	ended bool
	// cut is set when the observer did not come to its end although the run did:
	// it failed, or the runner was killed and a recovery closed the record.
	cut bool
	// seen is the last sign of life of the runner.
	seen time.Time

	targets   []targetEvent
	counts    []countEvent
	gaps      []gapEvent
	nodes     []nodeEvent
	endpoints []endpointsEvent
	notes     []string
	// evidence is what became known of lost pods after their loss, by UID.
	evidence map[string][]podEvent
	// disrupted is what this run did to pods, by UID.
	disrupted map[string][]disruption
	// failure is why the observer ended early, empty when it did not.
	failure string
	// walked is how far lossesUntil has got.
	walked walk
}

type disruption struct {
	journal.Disruption
	step string
}

// readHistory reads the record without weighing it.
func readHistory(record *journal.Record, check string) (*history, error) {
	timeline, err := verify.ReadTimeline(record)
	if err != nil {
		return nil, err
	}
	h := &history{
		Timeline: timeline,
		evidence: map[string][]podEvent{}, disrupted: map[string][]disruption{},
	}
	h.judged.to = timeline.Now
	for event := range record.All() {
		switch {
		case event.Kind == journal.RunBaseline:
			h.judged.from = event.Time
		case event.Kind == journal.PodDisrupted:
			d := disruption{step: event.Step}
			if err := event.Decode(&d.Disruption); err != nil {
				return nil, err
			}
			h.disrupted[d.Target.UID] = append(h.disrupted[d.Target.UID], d)
		case event.Kind == journal.RunHeartbeat:
			h.seen = event.Time
		case event.Check == check:
			h.seen = event.Time
			if err := h.read(event); err != nil {
				return nil, err
			}
		}
	}
	h.cutShort()
	slices.SortStableFunc(h.counts, func(a, b countEvent) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(h.gaps, func(a, b gapEvent) int { return a.From.Compare(b.From) })
	if h.judged.from.IsZero() {
		h.judged.from = h.FirstFault
	}
	if h.judged.from.IsZero() && len(h.counts) > 0 {
		h.judged.from = h.counts[0].At
	}
	h.closeGaps()
	h.unobserved()
	return h, nil
}

// cutShort ends what is judged where the runner was last alive, if that was
// not to the end: a recovery may have closed the record hours later, and nobody
// looked meanwhile.
func (h *history) cutShort() {
	killed := !h.ended && !h.Finished.IsZero()
	h.cut = killed || h.failure != ""
	if killed && !h.seen.IsZero() {
		h.judged.to = h.seen
	}
}

// closeGaps drops the announcement of each gap that is over, and lets those
// that last reach to the end of what is known.
func (h *history) closeGaps() {
	type key struct {
		watch string
		from  int64
	}
	of := func(g gapEvent) key { return key{g.Watch, g.From.UnixNano()} }
	closed := map[key]bool{}
	for _, g := range h.gaps {
		if !g.To.IsZero() {
			closed[of(g)] = true
		}
	}
	over := func(open gapEvent) bool { return closed[of(open)] }
	h.gaps = slices.DeleteFunc(slices.Clone(h.gaps), func(g gapEvent) bool { return g.To.IsZero() && over(g) })
	for i := range h.gaps {
		if h.gaps[i].To.IsZero() {
			h.gaps[i].To = later(h.gaps[i].From, h.judged.to)
		}
	}
}

// read takes in one event of this check.
func (h *history) read(event journal.Event) error {
	switch event.Kind {
	case eventTarget:
		return add(event, &h.targets)
	case eventCount:
		return add(event, &h.counts)
	case eventGap:
		return add(event, &h.gaps)
	case eventNode:
		return add(event, &h.nodes)
	case eventEndpoints:
		return add(event, &h.endpoints)
	case eventPod:
		var pod podEvent
		if err := event.Decode(&pod); err != nil {
			return err
		}
		h.evidence[pod.Pod.UID] = append(h.evidence[pod.Pod.UID], pod)
	case eventNote:
		var note noteEvent
		if err := event.Decode(&note); err != nil {
			return err
		}
		h.notes = append(h.notes, note.Note)
	case eventEnded:
		var ended endedEvent
		if err := event.Decode(&ended); err != nil {
			return err
		}
		h.ended, h.judged.to = true, ended.At
	case journal.ObserverFailed:
		var reason journal.Reason
		if err := event.Decode(&reason); err != nil {
			return err
		}
		h.ended, h.judged.to, h.failure = true, event.Time, reason.Reason
	}
	return nil
}

func add[T any](event journal.Event, to *[]T) error {
	var payload T
	if err := event.Decode(&payload); err != nil {
		return err
	}
	*to = append(*to, payload)
	return nil
}

// unobserved makes a gap of the time that the observer should have seen and
// did not: it failed, or ended before the faults did.
func (h *history) unobserved() {
	until := h.Settling
	why := "the observer ended before the faults did"
	if h.failure != "" {
		until, why = h.Now, "the observer failed: "+h.failure
	}
	if h.ended && until.After(h.judged.to) {
		h.gaps = append(h.gaps, gapEvent{From: h.judged.to, To: until, Watch: watchConnection, Why: why, Lost: true})
		h.judged.to = until
	}
	if len(h.counts) > 0 && h.counts[0].At.After(h.judged.from) {
		h.gaps = append(h.gaps, gapEvent{
			From: h.judged.from, To: h.counts[0].At, Watch: watchConnection,
			Why: "the observer had not begun", Lost: true,
		})
	}
}

// segment is a stretch in which the count stayed the same.
type segment struct {
	stretch
	countEvent
}

func (s segment) below() bool { return s.Available < s.Floor }

// full says that everything wanted is there. A workload scaled below its
// floor is not whole, however few replicas it wants.
func (s segment) full() bool { return s.Available >= max(s.Desired, s.Floor) }

// segments cuts the judged time at every count.
func (h *history) segments() []segment {
	var segments []segment
	for i, count := range h.counts {
		s := segment{stretch{count.At, h.judged.to}, count}
		if i+1 < len(h.counts) {
			s.to = h.counts[i+1].At
		}
		if s.stretch = s.within(h.judged); s.length() > 0 || h.judged.holds(count.At) {
			segments = append(segments, s)
		}
	}
	return segments
}

// at is the count at a moment.
func (h *history) at(moment time.Time) (countEvent, bool) {
	after := h.firstCount(func(at time.Time) bool { return at.After(moment) })
	if after == 0 {
		return countEvent{}, false
	}
	return h.counts[after-1], true
}

// firstCount is the index of the first count from which on a condition on its
// time holds.
func (h *history) firstCount(holds func(at time.Time) bool) int {
	return sort.Search(len(h.counts), func(i int) bool { return holds(h.counts[i].At) })
}
