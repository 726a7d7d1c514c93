package backup

import (
	"fmt"
	"time"

	"gameday.dev/gameday/verify"
)

// Held is a rung that holds.
func Held(format string, args ...any) Rung {
	return Rung{Verdict: verify.Pass, Summary: fmt.Sprintf(format, args...)}
}

// Broken is a rung that does not hold.
func Broken(format string, args ...any) Rung {
	return Rung{Verdict: verify.Fail, Summary: fmt.Sprintf(format, args...)}
}

// Unsure is a rung of which nothing can be told.
func Unsure(format string, args ...any) Rung {
	return Rung{Verdict: verify.Inconclusive, Summary: fmt.Sprintf(format, args...)}
}

// NowAndThen calls tell with the newest number, at the most every few seconds.
func NowAndThen(tell func(int64)) func(int64) {
	const pause = 5 * time.Second
	last := time.Now()
	return func(n int64) {
		if time.Since(last) >= pause {
			last = time.Now()
			tell(n)
		}
	}
}

// Bytes reads as people say it: 8.8 MB.
func Bytes(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}
