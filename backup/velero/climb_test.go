package velero

import (
	"context"
	"testing"
	"time"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/verify"
)

// heard keeps what a climb records of one type.
type heard[T any] []T

func (h *heard[T]) Record(_ string, payload any) {
	if one, ok := payload.(T); ok {
		*h = append(*h, one)
	}
}

// A loss that was found is one, whether the rest could be looked at in time or not.
func TestTimeoutTakesNothingBack(t *testing.T) {
	for _, test := range []struct {
		name  string
		found backup.Rung
		want  verify.Verdict
	}{
		{rungBackup, backup.Broken("damaged"), verify.Fail},
		{rungBackup, backup.Unsure("no answer"), verify.Inconclusive},
		{rungRestore, backup.Unsure("still InProgress"), verify.Fail},
		{rungReady, backup.Broken("not ready"), verify.Fail},
		{rungReady, backup.Unsure("never seen"), verify.Inconclusive},
		{rungProbe, backup.Broken("no answer yet"), verify.Inconclusive},
		{rungObjects, backup.Broken("2 losses"), verify.Fail},
		{rungObjects, backup.Unsure("half compared"), verify.Inconclusive},
		{rungVolumes, backup.Broken("1 loss"), verify.Fail},
		{rungControl, backup.Unsure("not compared again"), verify.Inconclusive},
	} {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Nanosecond, backup.ErrTimeout)
		defer cancel()
		<-ctx.Done()
		var seen heard[backup.Rung]
		ladder := (&climb{spec: &Restore{}}).ladder()
		ladder.Record = &seen
		ladder.Ways = []backup.Way{{Name: test.name, Climb: func(context.Context) backup.Rung { return test.found }}}
		if _, err := ladder.Climb(ctx); err != nil || len(seen) != 1 || seen[0].Verdict != test.want {
			t.Errorf("%s, %s: %v, %v, want %s", test.name, test.found.Summary, seen, err, test.want)
		}
	}
}
