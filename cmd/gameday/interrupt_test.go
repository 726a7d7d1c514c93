package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"testing/synctest"

	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/scenarios/run"
)

// signalled is a process that is sent what is put into the channel.
func signalled() (p process, send chan<- os.Signal) {
	signals := make(chan os.Signal, 2)
	return process{interrupts: func() (<-chan os.Signal, func()) { return signals, func() {} }}, signals
}

func TestSignals(t *testing.T) {
	for _, test := range []struct {
		name                   string
		signals                []os.Signal
		interrupted, abandoned bool
	}{
		{"none", nil, false, false},
		{"Ctrl-C", []os.Signal{os.Interrupt}, true, false},
		{"Ctrl-C twice", []os.Signal{os.Interrupt, os.Interrupt}, true, true},
		{"SIGTERM after Ctrl-C", []os.Signal{os.Interrupt, syscall.SIGTERM}, true, true},
		{"a terminal that closes", []os.Signal{syscall.SIGHUP}, true, false},
		{"a terminal and its shell that close", []os.Signal{syscall.SIGHUP, syscall.SIGHUP}, true, false},
		{"Ctrl-C, then the terminal closes", []os.Signal{os.Interrupt, syscall.SIGHUP}, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, send := signalled()
				var said bytes.Buffer
				ctx, abandon, release := p.interruptible(t.Context(), &said, "gameday recover run-1")
				for _, signal := range test.signals {
					send <- signal
				}
				synctest.Wait()
				if got := errors.Is(context.Cause(ctx), run.ErrInterrupted); got != test.interrupted {
					t.Errorf("interrupted: %t", got)
				}
				abandoned := false
				select {
				case <-abandon:
					abandoned = true
				default:
				}
				if abandoned != test.abandoned {
					t.Errorf("abandoned: %t", abandoned)
				}
				release()
				if named := bytes.Contains(said.Bytes(), []byte("gameday recover run-1")); named != test.abandoned {
					t.Errorf("said %q", said.String())
				}
			})
		})
	}
}

// stuck is a terminal that somebody has stopped.
type stuck struct{ until <-chan struct{} }

func (s stuck) Write(p []byte) (int, error) {
	<-s.until
	return len(p), nil
}

func TestAnInterruptionDoesNotWaitForTheTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, send := signalled()
		goOn := make(chan struct{})
		ctx, _, release := p.interruptible(t.Context(), stuck{goOn}, "")
		send <- os.Interrupt
		synctest.Wait()
		if ctx.Err() == nil {
			t.Error("the run goes on because nobody reads what it says")
		}
		close(goOn)
		release()
	})
}

func TestTheCommandThatRecoversLeadsToTheSameCluster(t *testing.T) {
	for _, test := range []struct {
		cluster kube.Cluster
		want    string
	}{
		{kube.Cluster{Name: "staging"}, "gameday recover run-1 --context staging"},
		{kube.Cluster{Name: kube.InCluster}, "gameday recover run-1"},
		{kube.Cluster{Name: "staging", Kubeconfig: "/tmp/config"}, "gameday recover run-1 --context staging --kubeconfig /tmp/config"},
	} {
		if got := recoverCommand("run-1", &test.cluster); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
