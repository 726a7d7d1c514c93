package veleroschedules

import (
	"fmt"
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/backups/internal/age"
)

// weighed is what is found of one Schedule.
type weighed struct {
	schedule  scheduleSeen
	namespace string // of Velero
	// state is the Schedule in a few words; fails and unknown are what is wrong
	// with it, and notes what is worth knowing besides.
	state                 string
	fails, unknown, notes []string
	hints                 []string
	age                   time.Duration // of the newest backup, where there is one
}

func (w *weighed) fail(format string, args ...any) {
	w.fails = append(w.fails, fmt.Sprintf(format, args...))
}

func (w *weighed) cannotTell(format string, args ...any) {
	w.unknown = append(w.unknown, fmt.Sprintf(format, args...))
}

func (w *weighed) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

func (w *weighed) hint(format string, args ...any) {
	w.hints = append(w.hints, fmt.Sprintf(format, args...))
}

// cli is a call of Velero's own program, which looks in namespace velero unless
// it is told otherwise.
func (w *weighed) cli(format string, args ...any) string {
	call := "velero " + fmt.Sprintf(format, args...)
	if w.namespace != "velero" {
		call += " -n " + w.namespace
	}
	return call
}

func (w *weighed) describe(b *backupSeen) {
	w.hint("look at what Velero says of it: %s", w.cli("backup describe %s", b.Name))
}

func (w *weighed) isItRunning() {
	w.hint("is Velero running? kubectl -n %s get deployment velero", w.namespace)
}

func (w *weighed) verdict() verify.Verdict {
	switch {
	case len(w.fails) > 0:
		return verify.Fail
	case len(w.unknown) > 0:
		return verify.Inconclusive
	default:
		return verify.Pass
	}
}

// weighSchedule judges one Schedule.
func (c *check) weighSchedule(look lookEvent, schedule scheduleSeen) *weighed {
	w := &weighed{schedule: schedule, namespace: look.Namespace}
	if *schedule.Paused {
		if slices.Contains(c.spec.AllowPaused, schedule.Name) {
			w.state = "paused, as is allowed"
			return w
		}
		w.fail("is paused: nothing is backed up by it")
		w.hint("%s, or name it in allowPaused", w.cli("schedule unpause %s", schedule.Name))
	}
	if schedule.Phase == string(velerov1.SchedulePhaseFailedValidation) {
		w.fail("is not valid, so that it never runs%s", because(schedule.Why))
		w.hint("mend spec.schedule of Schedule %s, which is %q", schedule.Name, schedule.Cron)
	}
	newest, before := schedule.newest(look.now())
	if newest == nil && len(schedule.Name) > validation.LabelValueMaxLength {
		w.fail("its name is longer than %d letters: the API server refuses every backup of it", validation.LabelValueMaxLength)
		w.hint("give it a shorter name: Velero writes the name into a label of each backup")
	}
	if newest == nil {
		c.weighNone(w, look)
	} else {
		c.weighNewest(w, look, newest, before)
	}
	w.weighLocations(look, newest)
	w.tellRest(look, newest)
	return w
}

func (c *check) weighNewest(w *weighed, look lookEvent, newest, before *backupSeen) {
	limit := c.spec.MaxAge.Duration
	w.age = look.now().Sub(newest.Started)
	w.state = fmt.Sprintf("newest %s old (%s)", age.Human(w.age), newest.contents())
	switch {
	case w.age < -clocksApart:
		w.cannotTell("%s began in the future, at %s: a clock is wrong", newest.Name, newest.Started.Format(time.RFC3339))
		w.hint("compare the clocks of the API server and of the node that Velero runs on")
	case w.age > limit:
		w.fail("%s; %s is the most", w.state, age.AsWritten(limit))
		w.whyStale()
	}
	w.weighItems(newest, before, c.spec.MaxShrink)
	w.weighUndated(look, newest)
}

// weighUndated looks for backups that may be newer and don't say so.
func (w *weighed) weighUndated(look lookEvent, newest *backupSeen) {
	for i := range w.schedule.Attempts {
		b := &w.schedule.Attempts[i]
		if b.Name == newest.Name {
			return
		}
		if b.Phase == phaseCompleted && b.discounted(w.schedule, look.now()) == isUndated {
			w.cannotTell("%s may be newer: it is Completed, without the times that Velero gives each", b.Name)
			w.describe(b)
		}
	}
}

// weighNone judges a Schedule without a backup that counts. One that is younger
// than maxAge may still have its first backup before it; one that has had its
// chance may not.
func (c *check) weighNone(w *weighed, look lookEvent) {
	s, limit := w.schedule, c.spec.MaxAge.Duration
	exists := look.now().Sub(s.Created)
	failures := total(s.Later)
	w.state = "no backup"
	switch {
	case failures > 0:
		w.state = fmt.Sprintf("no Completed backup: %s", s.tellLater())
		w.fail("%s", w.state)
	case s.NotCounted[hasExpired]+s.NotCounted[isUndated] > 0:
		w.state = "no backup that counts: " + tellCounts(s.NotCounted)
		w.fail("%s", w.state)
		w.hint("is the ttl of Schedule %s shorter than the time between two of its backups?", s.Name)
	case !s.LastBackup.IsZero() && len(s.unfinished()) == 0:
		w.state = fmt.Sprintf("no backup is left: one was begun %s ago", age.Human(look.now().Sub(s.LastBackup)))
		w.fail("%s", w.state)
		w.hint("its backups were deleted, or Velero removed what it no longer found in the storage location")
	case exists > limit:
		w.state = fmt.Sprintf("has never made a backup in the %s since it was created", age.Human(exists))
		w.fail("%s; %s is the most", w.state, age.AsWritten(limit))
		w.whyStale()
	default:
		w.state = fmt.Sprintf("has made no backup yet; it was created %s ago", age.Human(exists))
		if len(w.fails) == 0 {
			w.cannotTell("%s", w.state)
			w.hint("wait for its first backup, or make one: %s", w.cli("backup create --from-schedule %s", s.Name))
		}
	}
}

// whyStale says where to look when no young backup has come.
func (w *weighed) whyStale() {
	switch s := w.schedule; {
	case len(s.Name) > validation.LabelValueMaxLength || *s.Paused || s.Phase == string(velerov1.SchedulePhaseFailedValidation) || len(s.Later) > 0 || len(s.unfinished()) > 0:
		// said already, or about to be
	default:
		w.hint("no later one was begun, though the Schedule is %q", s.Cron)
		w.isItRunning()
	}
}

// tellRest tells what is no reason for a verdict by itself: what failed since,
// what is under way, what does not count, and warnings.
func (w *weighed) tellRest(look lookEvent, newest *backupSeen) {
	s := w.schedule
	if newest != nil {
		if newest.Warnings > 0 {
			w.note("%s is Completed with %s: %s", newest.Name, count(newest.Warnings, "warning"), w.cli("backup describe %s", newest.Name))
		}
		if total(s.Later) > 0 {
			w.note("since then %s", s.tellLater())
		}
	}
	if last := s.lastFailed(); last != nil {
		if last.Started.IsZero() {
			w.describe(last)
		} else {
			w.hint("look at why it failed: %s", w.cli("backup logs %s", last.Name))
		}
	}
	for _, b := range s.unfinished() {
		w.note("%s is %s for %s", b.Name, b.Phase, age.Human(look.now().Sub(b.moment())))
		if (b.Phase == phaseNew || b.Phase == string(velerov1.BackupPhaseInProgress)) && w.verdict() != verify.Pass {
			w.hint("while %s is %s, Velero begins no other backup of %s", b.Name, b.Phase, s.Name)
		}
	}
	w.tellNotCounted(hasExpired, "whose time is over")
	w.tellNotCounted(isUndated, "without the times that Velero gives each")
	w.tellNotCounted(wasSynced, "that Velero found in the storage location: made elsewhere, or before Velero was set up anew")
	if s.Phase == string(velerov1.SchedulePhaseNew) && !*s.Paused && look.now().Sub(s.Created) > clocksApart {
		w.note("Velero has not taken notice of it yet")
		w.isItRunning()
	}
}

func (w *weighed) tellNotCounted(why, that string) {
	if n := w.schedule.NotCounted[why]; n > 0 {
		w.note("not counted: %s %s", count(n, "backup"), that)
	}
}

// unfinished are the backups that have not ended, as far as the record names them.
func (s scheduleSeen) unfinished() []backupSeen {
	var all []backupSeen
	for _, b := range s.Attempts {
		if !b.ended() {
			all = append(all, b)
		}
	}
	return all
}

// lastFailed is the newest backup that has ended, if it is one that failed.
func (s scheduleSeen) lastFailed() *backupSeen {
	for i := range s.Attempts {
		if b := &s.Attempts[i]; b.ended() && !b.synced() {
			if s.failedIn(*b) {
				return b
			}
			return nil
		}
	}
	return nil
}
