package availability

import (
	"fmt"
	"time"
)

// relapsed says whether a pod was not Ready for a while that nobody was told
// of: it was Ready and is Ready, but since another moment. A kubelet that can't
// reach the API server writes only the last state when it can again.
func (t *tally) relapsed(before podState, now slimPod) bool {
	return t.live && before.available() && now.ready && !now.deleting && before.readySince != now.readySince
}

// relapse makes a gap of the time in which the relapse must lie: since the pod
// was last seen to become Ready. All other pods are steady in it but those that
// have relapsed in that time too.
func (t *tally) relapse(pod podState, at time.Time) {
	gap := gapEvent{
		From: time.Unix(0, pod.readyAt).UTC(), To: at, Watch: watchPods, Lost: true,
		Why: fmt.Sprintf("%s was not Ready and is Ready again, without the API server having heard of it", pod.name),
	}
	if last, ok := t.relapses[pod.uid]; ok {
		gap.From = last
	}
	for uid, other := range t.pods {
		if uid != pod.uid && other.available() && !t.relapses[uid].After(gap.From) {
			gap.Steady++
		}
	}
	t.relapses[pod.uid] = at
	t.record.Record(eventGap, gap)
}
