package availability

import (
	"fmt"
	"time"
)

// clock gives wall-clock stamps that advance evenly: one reading of the wall
// clock, then the monotonic one. A step of the system's clock in the middle of
// an outage neither lengthens nor shortens it.
type clock struct{ start time.Time }

func newClock() clock { return clock{start: time.Now()} }

func (c clock) now() time.Time { return c.start.Add(time.Since(c.start)).UTC() }

// stamp is the format of moments for people: to the millisecond, in UTC, so
// that a record reads the same wherever it is judged.
const stamp = "15:04:05.000"

// span is a stretch of time for people: its length, its beginning and its end.
func span(from, to time.Time) string {
	return fmt.Sprintf("%s (%s to %s)", human(to.Sub(from)), from.UTC().Format(stamp), to.UTC().Format(stamp))
}

// human writes a duration as precisely as it is worth: 240ms, 14.2s, 1m12s.
func human(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}
