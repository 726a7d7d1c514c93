package progress

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"gameday.dev/gameday/internal/journal"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); go test -update writes it anew:\n%s", path, diff)
	}
}

const document = `{"spec":{
	"checks":[{"name":"web-stays-up","availability":{}},{"name":"pager-rings","alerts":{}}],
	"steps":[{"name":"kill-one","podKill":{}},{"parallel":[{"name":"drain","nodeDrain":{}}]},{"name":"etcd","etcdRestore":{}}]}}`

// feed sends events to a display as a run would, in the time of the bubble.
type feed struct {
	t      *testing.T
	events chan journal.Event
}

func newFeed(t *testing.T) *feed { return &feed{t: t, events: make(chan journal.Event, 256)} }

func (f *feed) send(after time.Duration, step, check, kind string, payload any) {
	f.t.Helper()
	time.Sleep(after)
	event := journal.Event{Version: 1, Time: time.Now().UTC(), Kind: kind, Step: step, Check: check}
	if payload != nil {
		data, err := json.Marshal(payload)
		if err != nil {
			f.t.Fatal(err)
		}
		event.Data = data
	}
	f.events <- event
}

func (f *feed) begin() {
	f.send(0, "", "", journal.RunStarted, journal.RunInfo{Scenario: "shop", Cluster: "prod-eu", Seed: 7, Document: json.RawMessage(document)})
	f.send(time.Second, "", "web-stays-up", journal.ObserverStarted, nil)
	f.send(0, "", "pager-rings", journal.ObserverStarted, nil)
	f.send(0, "", "web-stays-up", "availability.sample", map[string]int{"ready": 3})
	f.send(2*time.Second, "", "", journal.RunBaseline, journal.Baseline{Healthy: true})
}

func (f *feed) kill() {
	f.send(0, "kill-one", "", journal.StepPlanned, journal.Planned{Experiment: "podKill", Targets: []journal.Target{{Kind: "Pod", Namespace: "shop", Name: "web-1"}}})
	f.send(0, "kill-one", "", journal.StepInjecting, nil)
	f.send(time.Second, "kill-one", "", journal.StepInjected, journal.Outcome{State: journal.Done, Expected: true, Summary: "shop/web-1 killed"})
	f.send(3*time.Second, "kill-one", "", journal.StepSettled, journal.Settled{Recovered: true, Summary: "its replacement Ready after 3.1s"})
}

func (f *feed) drain() {
	f.send(0, "drain", "", journal.StepPlanned, journal.Planned{Experiment: "nodeDrain", Warnings: []string{"Prometheus runs on n2"},
		Targets: []journal.Target{{Kind: "Node", Name: "n2"}, {Kind: "Node", Name: "n3"}, {Kind: "Node", Name: "n4"}, {Kind: "Node", Name: "n5"}}})
	f.send(0, "drain", "", journal.StepInjecting, nil)
	f.send(time.Second, "drain", "", journal.StepProgress, journal.Progress{Message: "evicting 9 pods from n2"})
	f.send(0, "drain", "", journal.StepProgress, journal.Progress{Message: "evicting 9 pods from n2"})
}

func (f *feed) rest() {
	f.send(70*time.Second, "drain", "", journal.StepInjected, journal.Outcome{State: journal.Blocked, Summary: "PDB shop/web needs 2 healthy, has 2"})
	f.send(0, "drain", "", journal.StepHolding, journal.Hold{Seconds: 60})
	f.send(20*time.Second, "", "pager-rings", journal.ObserverFailed, journal.Reason{Reason: "Prometheus: connection refused"})
	f.send(0, "", "web-stays-up", "availability.progress", journal.Progress{Message: "1 of 3 available"})
	f.send(0, "", "", journal.RunAborting, journal.Reason{Reason: "web-stays-up is broken", Cause: "breach"})
	f.send(0, "etcd", "", journal.StepSkipped, journal.Reason{Reason: "the run was aborted"})
	f.send(0, "drain", "", journal.StepUndoing, nil)
	f.send(2*time.Second, "drain", "", journal.StepUndone, journal.Undone{OK: true, Summary: "n2 uncordoned"})
	f.send(0, "", "", journal.RunSettling, nil)
	f.send(40*time.Second, "", "", "run.praised", journal.Reason{Reason: "a kind from a later version"})
	f.send(0, "", "", journal.RunFinished, journal.RunEnd{Undone: true})
}

func TestPlain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		f := newFeed(t)
		display := New(&out, Options{})
		go display.Run(f.events)
		synctest.Wait()
		f.begin()
		f.kill()
		f.drain()
		f.rest()
		time.Sleep(5 * time.Minute) // nothing goes on any more, so nothing is still going on
		close(f.events)
		display.Stop()
		if strings.ContainsAny(out.String(), "\x1b\r") {
			t.Error("plain output steers the cursor")
		}
		golden(t, "plain.txt", out.String())
	})
}

func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := &terminal{t: t, width: 72}
		f := newFeed(t)
		display := New(screen, Options{Terminal: true, Color: true, Width: screen.size})
		go display.Run(f.events)
		synctest.Wait()
		look := func(name string) {
			time.Sleep(150 * time.Millisecond)
			synctest.Wait()
			golden(t, name, screen.String())
		}
		f.begin()
		look("live-baseline.txt")
		f.kill()
		f.drain()
		time.Sleep(9 * time.Second)
		look("live-drain.txt")
		screen.resize(40)
		look("live-narrower.txt")
		screen.resize(72)
		f.rest()
		display.Stop()
		display.Stop()
		golden(t, "live-end.txt", screen.String())
		if screen.hidden || screen.nowrap || screen.col != 0 {
			t.Errorf("left the terminal with cursor hidden %v, wrapping off %v, at column %d", screen.hidden, screen.nowrap, screen.col)
		}
	})
}

func TestLiveInTightPlaces(t *testing.T) {
	for _, width := range []int{0, 1, 5, 12, 30} {
		for _, height := range []int{0, 1, 2, 4} {
			t.Run(fmt.Sprintf("%dx%d", width, height), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					screen := &terminal{t: t, width: 80}
					if width > 0 {
						screen.width = width
					}
					f := newFeed(t)
					display := New(screen, Options{Terminal: true, Width: func() int { return width }, Height: func() int { return height }})
					go display.Run(f.events)
					synctest.Wait()
					f.begin()
					f.kill()
					f.drain()
					f.rest()
					close(f.events)
					display.Stop()
					if n := strings.Count(screen.String(), "\n"); height > 0 && n > max(height-1, 1) {
						t.Errorf("%d lines:\n%s", n, screen)
					}
				})
			})
		}
	}
}

func TestLiveFollowsTheActiveStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := &terminal{t: t, width: 80}
		f := newFeed(t)
		display := New(screen, Options{Terminal: true, Height: func() int { return 6 }})
		go display.Run(f.events)
		synctest.Wait()
		f.send(0, "", "", journal.RunStarted, journal.RunInfo{Scenario: "long"})
		for i := range 40 {
			f.send(0, fmt.Sprintf("step-%d", i), "", journal.StepPlanned, journal.Planned{Experiment: "podKill"})
		}
		f.send(0, "step-20", "", journal.StepInjecting, nil)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := screen.String(); !strings.Contains(got, "step-20") || !strings.HasPrefix(got, "long") {
			t.Errorf("does not show the header and step-20:\n%s", got)
		}
		display.Stop()
	})
}

const hostile = "clear\x1b[2J\x07 bell\r\n\u202edezilanif"

func TestNothingFromTheClusterSteersTheTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := &terminal{t: t, width: 80} // fails the test on what it does not know
		f := newFeed(t)
		display := New(screen, Options{Terminal: true})
		go display.Run(f.events)
		synctest.Wait()
		f.send(0, "", "", journal.RunStarted, journal.RunInfo{Scenario: hostile, Cluster: hostile})
		f.send(0, hostile, "", journal.StepProgress, journal.Progress{Message: hostile})
		f.send(0, "", hostile, journal.ObserverFailed, journal.Reason{Reason: hostile})
		f.send(0, "", "", journal.RunAborting, journal.Reason{Reason: hostile})
		display.Stop()
		if strings.ContainsRune(screen.String(), '\u202e') {
			t.Error("a direction mark came through")
		}
		var out strings.Builder
		f = newFeed(t)
		display = New(&out, Options{})
		go display.Run(f.events)
		synctest.Wait()
		f.send(0, hostile, "", journal.StepProgress, journal.Progress{Message: hostile})
		display.Stop()
		if strings.ContainsAny(out.String(), "\x1b\x07\r\u202e") || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("control characters in %q", out.String())
		}
	})
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestAClosedStderrEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, terminal := range []bool{true, false} {
			f := newFeed(t)
			display := New(closed{}, Options{Terminal: terminal})
			go display.Run(f.events)
			synctest.Wait()
			f.begin()
			f.kill()
			display.Stop()
		}
	})
}

func TestStopBeforeRun(t *testing.T) {
	var out strings.Builder
	f := newFeed(t)
	f.send(0, "", "", journal.RunStarted, journal.RunInfo{Scenario: "shop"})
	display := New(&out, Options{})
	display.Stop()
	display.Run(f.events)
	if out.Len() > 0 {
		t.Errorf("showed %q", out.String())
	}
}

func TestOthersWriteAboveTheView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := &terminal{t: t, width: 80}
		f := newFeed(t)
		display := New(screen, Options{Terminal: true})
		fmt.Fprintln(display, "before it runs")
		go display.Run(f.events)
		f.begin()
		f.send(0, "", "", journal.StepProgress, journal.Progress{Message: "the lock is held by r-2"})
		time.Sleep(time.Second)
		fmt.Fprintln(display, "interrupted: undoing; interrupt again to give up")
		time.Sleep(time.Second)
		close(f.events)
		display.Stop()
		fmt.Fprintln(display, "after it ran")
		golden(t, "live-others.txt", screen.String())
	})
}

func TestNothingIsWrittenAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := &terminal{t: t, width: 80}
		f := newFeed(t)
		display := New(screen, Options{Terminal: true})
		go display.Run(f.events)
		synctest.Wait()
		f.begin()
		display.Stop()
		before := screen.bytes
		f.kill()
		time.Sleep(time.Minute)
		synctest.Wait()
		if screen.bytes != before {
			t.Error("wrote after Stop had returned")
		}
	})
}

func TestPayloadsThatCannotBeReadAreShownWithoutThem(t *testing.T) {
	m := newModel()
	for _, kind := range []string{journal.RunStarted, journal.RunBaseline, journal.RunAborting, journal.RunFinished} {
		m.apply(journal.Event{Kind: kind, Data: json.RawMessage(`["?"]`)})
	}
	for _, kind := range []string{journal.StepPlanned, journal.StepInjected, journal.StepHolding, journal.StepUndone, journal.StepSettled, journal.StepSkipped, journal.StepProgress} {
		m.apply(journal.Event{Kind: kind, Step: "a"})
	}
	if len(m.steps) != 1 {
		t.Errorf("%d steps", len(m.steps))
	}
}
