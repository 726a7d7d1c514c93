package podkill

import (
	"fmt"
	"strings"

	"gameday.dev/gameday/internal/journal"
)

// namedPods is how many pods a summary names before it only counts.
const namedPods = 3

// outcome weighs the fates. A kill that took nothing is no fault and proves
// nothing, so it is never done.
func (s *Spec) outcome(fates []fate) journal.Outcome {
	var taken, gone, blocked, failed []fate
	for _, fate := range fates {
		switch {
		case fate.taken:
			taken = append(taken, fate)
		case fate.gone:
			gone = append(gone, fate)
		case fate.blocked:
			blocked = append(blocked, fate)
		default:
			failed = append(failed, fate)
		}
	}
	var parts []string
	if len(taken) > 0 {
		verb := "killed"
		if s.method() == MethodEvict {
			verb = "evicted"
		}
		parts = append(parts, names(taken)+" "+verb)
	}
	if len(gone) > 0 {
		parts = append(parts, names(gone)+" already gone")
	}
	if len(blocked) > 0 {
		parts = append(parts, fmt.Sprintf("%s not evicted within %s: %s", names(blocked), s.timeout(), blocked[0].why))
	}
	if len(failed) > 0 {
		parts = append(parts, fmt.Sprintf("%s not evicted within %s: %s", names(failed), s.timeout(), failed[0].why))
	}
	outcome := journal.Outcome{Summary: strings.Join(parts, "; ")}
	switch {
	case len(failed) > 0:
		outcome.State = journal.Failed
	case len(blocked) > 0:
		outcome.State = journal.Blocked
		outcome.Expected = s.Expect == ExpectBlocked
	case len(taken) == 0:
		outcome.State = journal.Failed
	default:
		outcome.State = journal.Done
		outcome.Expected = s.Expect != ExpectBlocked
	}
	return outcome
}

// names lists the first few and counts the rest: "shop/web-1, shop/web-2 +3".
func names(fates []fate) string {
	var list []string
	for _, fate := range fates[:min(len(fates), namedPods)] {
		list = append(list, fate.target.String())
	}
	text := strings.Join(list, ", ")
	if more := len(fates) - namedPods; more > 0 {
		text += fmt.Sprintf(" +%d", more)
	}
	return text
}
