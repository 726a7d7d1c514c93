package backups

import (
	"fmt"
	"strings"
	"time"
)

// describe is a look in one line: "newest 3h12m old (etcd-….db, by renewTime
// of Lease …), 14 kept".
func (l lookEvent) describe() string {
	if l.Counted == 0 || len(l.Newest) == 0 {
		return "no etcd snapshot in " + l.Directory
	}
	newest := l.Newest[0]
	at, by := newest.since()
	return fmt.Sprintf("newest %s old (%s, by %s), %d kept", human(l.At.Sub(at)), newest.Name, by, l.Counted)
}

// details are what else is worth knowing of the newest, and the files that do not count.
func (l lookEvent) details() []string {
	var lines []string
	if len(l.Newest) > 0 {
		newest := l.Newest[0]
		if newest.Content.IsZero() {
			lines = append(lines, fmt.Sprintf("%s: how old its content is can not be told: %s", newest.Name, newest.ContentUnknown))
		}
		if newest.Sum != "" {
			lines = append(lines, newest.Name+": "+newest.Sum)
		}
	}
	for _, other := range l.Others {
		lines = append(lines, fmt.Sprintf("not counted: %s: %s", other.Name, strings.TrimPrefix(other.Why, "reading snapshot ")))
	}
	if more := l.NotCounted - len(l.Others); more > 0 {
		lines = append(lines, fmt.Sprintf("not counted: %d more", more))
	}
	return lines
}

// human writes an age as precisely as it is worth: 45s, 12m30s, 3h12m, 4d3h.
// It never rounds up.
func human(age time.Duration) string {
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

// asWritten writes a limit as people write it: 26h, 90s, 1h30m.
func asWritten(limit time.Duration) string {
	text := limit.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
