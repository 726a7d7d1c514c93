package nodedrain

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

// namedPods is how many pods a summary names before it only counts.
const namedPods = 3

// outcome weighs what the drain has reached. Only a node that holds nothing
// but what belongs to it was drained.
func (d *drain) outcome(took time.Duration) journal.Outcome {
	var evicted, throttled int
	held := map[string][]string{} // by why: pods
	var broken []string
	for _, eviction := range d.evictions {
		pod := eviction.Pod
		throttled += eviction.Throttled
		switch {
		case eviction.Accepted():
			evicted++
		case eviction.Asked && eviction.Last.Kind == kube.Gone:
		case eviction.Asked && eviction.Last.Kind == kube.Refused:
			broken = append(broken, fmt.Sprintf("%s can't be evicted: %s", pod, eviction.Last.Words))
		case eviction.Asked && eviction.Last.Kind == kube.SeveralBudgets:
			held[eviction.Last.Why(pod)] = append(held[eviction.Last.Why(pod)], pod.String())
		case eviction.Held != nil:
			held[eviction.Held.Why(pod)] = append(held[eviction.Held.Why(pod)], pod.String())
		case eviction.Asked:
			broken = append(broken, fmt.Sprintf("%s was not evicted: %s", pod, eviction.Last.Why(pod)))
		default:
			broken = append(broken, fmt.Sprintf("%s was never asked to go", pod))
		}
	}
	var details []string
	for _, why := range slices.Sorted(maps.Keys(held)) {
		details = append(details, fmt.Sprintf("%s held back: %s", shorten(held[why]), why))
	}
	details = append(details, broken...)
	stuck, landed := d.stuck()
	details = append(details, stuck...)
	for _, pod := range d.kept {
		details = append(details, "came after the plan and stays: "+pod)
	}
	for _, volume := range d.attached {
		details = append(details, "still attached: volume "+volume)
	}

	count := fmt.Sprintf("%d pods evicted", evicted)
	if evicted == 1 {
		count = "1 pod evicted"
	}
	notes := append([]string{count}, d.waits()...)
	if throttled > 0 {
		notes = append(notes, fmt.Sprintf("throttled %d times by the API server", throttled))
	}
	if len(landed) > 0 && len(d.kept) == 0 {
		notes = append(notes, "came meanwhile and not chased: "+shorten(landed))
	}
	if len(details) == 0 && d.end != nil {
		details = append(details, d.end.Error())
	}

	switch {
	case len(details) == 0:
		return journal.Outcome{
			State: journal.Done, Expected: d.spec.Expect != ExpectBlocked,
			Summary: fmt.Sprintf("%s drained in %s: %s", d.nodeNames(), seconds(took), strings.Join(notes, ", ")),
		}
	case len(held) > 0 && len(broken) == 0 && len(d.kept) == 0:
		return journal.Outcome{
			State: journal.Blocked, Expected: d.spec.Expect == ExpectBlocked,
			Summary: fmt.Sprintf("%s not drained after %s: %s; %s", d.nodeNames(), seconds(took), strings.Join(notes, ", "), strings.Join(details, "; ")),
		}
	default:
		return journal.Outcome{
			State:   journal.Failed,
			Summary: fmt.Sprintf("%s not drained after %s: %s; %s", d.nodeNames(), seconds(took), strings.Join(notes, ", "), strings.Join(details, "; ")),
		}
	}
}

// stuck explains pods that were told to go and did not, and lists those that
// came while the drain went on.
func (d *drain) stuck() (reasons, landed []string) {
	for _, r := range d.left {
		switch {
		case r.class == leaving && len(r.finalizers) > 0:
			reasons = append(reasons, fmt.Sprintf("%s waits for its finalizers %s", r.pod, strings.Join(r.finalizers, ", ")))
		case r.class == leaving:
			reasons = append(reasons, fmt.Sprintf("%s is still terminating (grace period %ds)", r.pod, r.grace))
		case !d.handled[r.pod.UID]: // those that were handled are explained by their evictions
			landed = append(landed, r.pod.String())
		}
	}
	return reasons, landed
}

// waits says how many pods waited for each budget and how long the longest.
func (d *drain) waits() []string {
	count, longest := map[string]int{}, map[string]time.Duration{}
	for _, eviction := range d.evictions {
		if eviction.Held != nil {
			key := eviction.Pod.Namespace + "/" + eviction.Held.Budget
			count[key]++
			longest[key] = max(longest[key], eviction.Waited)
		}
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%d waited %s for PDB %s", count[key], seconds(longest[key]), key))
	}
	return parts
}

// seconds is a duration as people say it: 3.1s, 41s, 2m5s.
func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// shorten lists the first few and counts the rest.
func shorten(names []string) string {
	text := strings.Join(names[:min(len(names), namedPods)], ", ")
	if more := len(names) - namedPods; more > 0 {
		text += fmt.Sprintf(" +%d", more)
	}
	return text
}
