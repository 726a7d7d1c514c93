package backup

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// told is a record that is kept in memory.
type told []Rung

func (t *told) Record(_ string, payload any) {
	if rung, ok := payload.(Rung); ok {
		*t = append(*t, rung)
	}
}

func TestLadder(t *testing.T) {
	held := func(context.Context) Rung { return Held("fine") }
	broken := func(context.Context) Rung { return Broken("torn") }
	for name, test := range map[string]struct {
		ways    []Way
		carries bool
		want    journal.State
		tried   string
		says    string
	}{
		"to the top":             {[]Way{{"a", held}, {"b", held}}, false, journal.Done, "a b", "reached b"},
		"no further":             {[]Way{{"a", held}, {"b", broken}, {"c", held}}, false, journal.Failed, "a b", "reached a, c was"},
		"further, though broken": {[]Way{{"a", held}, {"b", broken}, {"c", held}}, true, journal.Failed, "a b c", "reached a, c was"},
		"nothing holds":          {[]Way{{"a", broken}, {"b", held}}, false, journal.Failed, "a", "reached no rung"},
	} {
		t.Run(name, func(t *testing.T) {
			var record told
			ladder := Ladder{Teller: Teller{&record}, Ways: test.ways, GoesOn: func(Rung) bool { return test.carries }}
			outcome, err := ladder.Climb(t.Context())
			if err != nil || outcome.State != test.want || !strings.Contains(outcome.Summary, test.says) {
				t.Errorf("got %v %q, %v", outcome.State, outcome.Summary, err)
			}
			var tried []string
			for _, rung := range record {
				tried = append(tried, rung.Name)
			}
			if strings.Join(tried, " ") != test.tried {
				t.Errorf("tried %v", tried)
			}
		})
	}
}

// What the timeout ends has not held, whatever it carries; only what was to end in
// time has failed by it.
func TestTimeoutCutsARungShort(t *testing.T) {
	waits := func(ctx context.Context) Rung {
		<-ctx.Done()
		found := Broken("no answer")
		found.RecoverySeconds, found.Problems = 3, []string{"x"}
		return found
	}
	never := func(context.Context) Rung { t.Error("a rung after the timeout was climbed"); return Rung{} }
	for _, overdue := range []func(Rung) bool{nil, func(r Rung) bool { return r.Name == "wait" }} {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, ErrTimeout)
		defer cancel()
		var record told
		ladder := Ladder{
			Teller: Teller{&record}, Ways: []Way{{"wait", waits}, {"next", never}}, Overdue: overdue,
			Timeout: time.Minute, GoesOn: func(Rung) bool { return true },
		}
		outcome, err := ladder.Climb(ctx)
		if err != nil || outcome.State != journal.Failed || len(record) != 1 {
			t.Fatalf("got %v, %v, %d rungs", outcome.State, err, len(record))
		}
		want := verify.Inconclusive
		if overdue != nil {
			want = verify.Fail
		}
		found := record[0]
		if found.Verdict != want || found.RecoverySeconds != 0 || !slices.Equal(found.Problems, []string{"x"}) ||
			!strings.Contains(found.Summary, "by the step's timeout of 1m0s: no answer") {
			t.Errorf("got %+v", found)
		}
	}
}

func TestLadderIsCalledOff(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("Ctrl-C")
	var record told
	ladder := Ladder{Teller: Teller{&record}, Ways: []Way{{"a", func(context.Context) Rung { cancel(stopped); return Unsure("hm") }}}}
	if _, err := ladder.Climb(ctx); !errors.Is(err, stopped) || len(record) != 0 {
		t.Errorf("got %v, %d rungs", err, len(record))
	}
}
