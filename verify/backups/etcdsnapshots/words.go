package etcdsnapshots

import (
	"fmt"
	"strings"

	"gameday.dev/gameday/verify/backups/internal/age"
)

// describe is a look in one line: "newest 3h12m old (etcd-….db, by renewTime
// of Lease …), 14 kept".
func (l lookEvent) describe() string {
	if l.Counted == 0 || len(l.Newest) == 0 {
		return "no etcd snapshot in " + l.Directory
	}
	newest := l.Newest[0]
	at, by := newest.since()
	return fmt.Sprintf("newest %s old (%s, by %s), %d kept", age.Human(l.At.Sub(at)), newest.Name, by, l.Counted)
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
