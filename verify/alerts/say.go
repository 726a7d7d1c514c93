package alerts

import (
	"time"
)

// clock writes a moment as people compare it with their logs.
func clock(at time.Time) string {
	if at.IsZero() {
		return "the beginning"
	}
	return at.UTC().Format("15:04:05.000")
}

// round drops digits that mean nothing, and the "0s" of 5m0s.
func round(d time.Duration) string {
	unit := time.Second
	switch {
	case d.Abs() < 10*time.Second:
		unit = 100 * time.Millisecond
	case d.Abs() >= 10*time.Minute && d%time.Minute != 0:
		unit = time.Second
	}
	return d.Round(unit).String()
}

// exact writes a duration of the scenario or of a rule: 2m, 15m, 1h30m.
func exact(d time.Duration) string {
	text := d.String()
	if d >= time.Minute && d%time.Minute == 0 {
		text = text[:len(text)-len("0s")]
	}
	if d >= time.Hour && d%time.Hour == 0 {
		text = text[:len(text)-len("0m")]
	}
	return text
}
