package etcd

import (
	"fmt"
	"time"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/verify"
)

// The words of a rung's result.
func held(format string, args ...any) backup.Rung {
	return backup.Rung{Verdict: verify.Pass, Summary: fmt.Sprintf(format, args...)}
}

func broken(format string, args ...any) backup.Rung {
	return backup.Rung{Verdict: verify.Fail, Summary: fmt.Sprintf(format, args...)}
}

func unsure(format string, args ...any) backup.Rung {
	return backup.Rung{Verdict: verify.Inconclusive, Summary: fmt.Sprintf(format, args...)}
}

// nowAndThen calls tell with the newest number, at the most every few seconds.
func nowAndThen(tell func(int64)) func(int64) {
	const pause = 5 * time.Second
	last := time.Now()
	return func(n int64) {
		if time.Since(last) >= pause {
			last = time.Now()
			tell(n)
		}
	}
}

// bytes reads as people say it: 8.8 MB.
func bytes(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	default:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
}
