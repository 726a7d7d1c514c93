package backup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/verify"
)

// ErrTimeout is the cause of a context that a step's timeout has ended.
var ErrTimeout = errors.New("the step's timeout has passed")

// Teller writes to the record on behalf of a proof.
type Teller struct{ Record journal.Recorder }

// Progress is for whoever watches.
func (t Teller) Progress(format string, args ...any) {
	t.Record.Record(journal.StepProgress, journal.Progress{Message: fmt.Sprintf(format, args...)})
}

// Found adds to what is known of the backup.
func (t Teller) Found(found Found) { t.Record.Record(EventFound, found) }

// Rung tells what was found on a rung.
func (t Teller) Rung(found Rung) { t.Record.Record(EventRung, found) }

// Disaster is the moment from which RPO and RTO count, by the clock that dates the backup.
func (t Teller) Disaster(at time.Time) { t.Record.Record(EventDisaster, Disaster{At: at.UTC()}) }

// DisasterNow dates the disaster by the API server's clock, which dates most of what is in
// the cluster: this machine's may be off by more than an objective. Where it can't be
// asked for, the age of the backup is not known, and the note says so.
func (t Teller) DisasterNow(ctx context.Context, client kubernetes.Interface) (note []string) {
	at, err := kube.ServerTime(ctx, client)
	if err != nil {
		return []string{"how old the backup is can't be told: " + err.Error()}
	}
	t.Disaster(at)
	return nil
}

// Way is one rung and how it is climbed.
type Way struct {
	Name  string
	Climb func(context.Context) Rung
}

// Ladder is climbed rung by rung, and what is found on each is written down.
type Ladder struct {
	Teller
	// Ways are the rungs to climb; the last is the one that has to be reached.
	Ways []Way
	// Timeout of the step, for people: its context has it as ErrTimeout.
	Timeout time.Duration
	// Overdue says that a rung has failed which the timeout cuts short: it says that
	// something ends in time, and that was seen not to. Of others nothing can be told
	// then, and nil means all of them.
	Overdue func(Rung) bool
	// GoesOn says that a rung that does not hold still carries the next ones.
	GoesOn func(Rung) bool
}

// Climb climbs until the last rung, or one that leaves the next nothing to stand
// on. It ends done when the last was reached, failed when not; what that means is
// Judge's to say. An error is a climb that was called off.
func (l Ladder) Climb(ctx context.Context) (journal.Outcome, error) {
	reached, passed := "", true
	for i, way := range l.Ways {
		l.Progress("rung %d of %d, %s", i+1, len(l.Ways), way.Name)
		found, over, err := l.try(ctx, way)
		if err != nil {
			return journal.Outcome{}, err
		}
		l.Rung(found)
		passed = passed && found.Verdict == verify.Pass
		if passed {
			reached = way.Name
		}
		if found.Verdict != verify.Pass && (over || !l.GoesOn(found)) {
			break
		}
	}
	return outcome(reached, l.Ways[len(l.Ways)-1].Name), nil
}

// try climbs one rung, and says whether the step's timeout is over.
func (l Ladder) try(ctx context.Context, way Way) (found Rung, over bool, err error) {
	began := time.Now()
	found = way.Climb(ctx)
	found.Name = way.Name
	if found.Seconds == 0 {
		found.Seconds = time.Since(began).Seconds()
	}
	cause := context.Cause(ctx)
	switch {
	case cause == nil, found.Verdict == verify.Pass:
		return found, cause != nil, nil
	case !errors.Is(cause, ErrTimeout):
		return found, true, fmt.Errorf("climbing rung %s: %w", way.Name, cause)
	default:
		return l.cutShort(found), true, nil
	}
}

// cutShort is a rung that the step's timeout has ended.
func (l Ladder) cutShort(found Rung) Rung {
	found.Summary = fmt.Sprintf("cut short after %.0fs by the step's timeout of %s: %s", found.Seconds, l.Timeout, found.Summary)
	found.RecoverySeconds, found.Phases = 0, nil // it has not ended
	if l.Overdue != nil && l.Overdue(found) {
		found.Verdict = verify.Fail
	} else {
		found.Verdict = verify.Inconclusive
	}
	return found
}

func outcome(reached, required string) journal.Outcome {
	if reached == required {
		return journal.Outcome{State: journal.Done, Expected: true, Summary: "reached " + required}
	}
	if reached == "" {
		reached = "no rung"
	}
	return journal.Outcome{State: journal.Failed, Summary: fmt.Sprintf("reached %s, %s was to be reached", reached, required)}
}
