// Package age writes ages and their limits as people say them.
package age

import (
	"fmt"
	"strings"
	"time"
)

// Human writes an age as precisely as it is worth: 45s, 12m30s, 3h12m, 4d3h.
// It never rounds up.
func Human(age time.Duration) string {
	minutes := int(age / time.Minute)
	days, hours := minutes/(24*60), minutes/60%24
	switch {
	case age < 0:
		return "0s" // a clock is a little ahead
	case age < time.Hour:
		return age.Truncate(time.Second).String()
	case days == 0:
		return fmt.Sprintf("%dh%dm", hours, minutes%60)
	default:
		return fmt.Sprintf("%dd%dh", days, hours)
	}
}

// AsWritten writes a limit as people write it: 26h, 90s, 1h30m.
func AsWritten(limit time.Duration) string {
	text := limit.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
