package run

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/scenarios"
)

func TestAnObserverThatHangsIsLeftBehindAndSaidToHaveFailed(t *testing.T) {
	for name, test := range map[string]struct {
		abandoned bool
		patience  time.Duration
	}{
		"when its grace is over":    {false, finalGrace + tidyBudget},
		"at once when one gives up": {true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				writer, err := journal.Create(t.TempDir())
				if err != nil {
					t.Fatal(err)
				}
				abandon, ended := make(chan struct{}), make(chan struct{})
				if test.abandoned {
					close(abandon)
				}
				close(ended)
				r := &runner{journal: writer, Options: Options{Abandon: abandon}, watched: []watched{
					{declared: scenarios.Check{Name: "hangs"}, ended: make(chan struct{})},
					{declared: scenarios.Check{Name: "ends"}, ended: ended},
				}}
				began := time.Now()
				r.awaitObservers(t.Context())
				if took := time.Since(began); took != test.patience {
					t.Errorf("waited %s, want %s", took, test.patience)
				}
				var failed []string
				for event := range writer.Record().All() {
					if event.Kind == journal.ObserverFailed {
						failed = append(failed, event.Check)
					}
				}
				if !slices.Equal(failed, []string{"hangs"}) {
					t.Errorf("failed: %v", failed)
				}
			})
		})
	}
}
