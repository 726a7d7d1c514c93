package etcd

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/snapshots"
)

func machine(t *testing.T, host string) experiments.Env {
	t.Helper()
	return experiments.Env{
		RunID:   "20261123-020000-3f2a",
		Rand:    rand.New(rand.NewPCG(1, 2)),
		Machine: experiments.Machine{Host: host, Scratch: t.TempDir()},
	}
}

func TestUndoRemovesTheHome(t *testing.T) {
	env := machine(t, "runner")
	own := newHome(env)
	if err := own.make(env.RunID); err != nil {
		t.Fatal(err)
	}
	if err := own.make(env.RunID); err == nil {
		t.Error("a home that is there already was taken for ours")
	}
	if err := os.WriteFile(own.join("db"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	plan := experiments.Plan{}
	if err := plan.SetData(restorePlan{Home: own}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"scratch directory removed", ""} { // it may be called again
		summary, err := new(Restore).Undo(t.Context(), env, plan)
		if err != nil || summary != want {
			t.Errorf("got %q, %v, want %q", summary, err, want)
		}
	}
	if _, err := os.Stat(own.Path); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", own.Path, err)
	}
}

// The plan comes from a ConfigMap: whoever may write it must not be able to
// have anything else removed.
func TestUndoRemovesNothingElse(t *testing.T) {
	env := machine(t, "runner")
	precious := filepath.Join(env.Machine.Scratch, "precious")
	other := filepath.Join(env.Machine.Scratch, "gameday-20261001-020000-ffff-00000001")
	for _, dir := range []string{precious, other} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	link, foreign := newHome(env).Path, newHome(env).Path
	if err := os.Symlink(precious, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(foreign, 0o700); err != nil { // the right name, and not ours
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(foreign, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "", precious, other, link, foreign, precious + "/../precious",
		"gameday-20261123-020000-3f2a-relative", "gameday-20261123-020000-3f2a-00000001", foreign + "-backups"} {
		var plan experiments.Plan
		if err := plan.SetData(restorePlan{Home: home{Path: path, place: place{Host: "runner"}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := new(Restore).Undo(t.Context(), env, plan); err == nil {
			t.Errorf("undo of %q says that all is well", path)
		}
	}
	for _, path := range []string{precious, other, filepath.Join(foreign, "precious")} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestUndoOnAnotherMachine(t *testing.T) {
	env := machine(t, "here")
	for name, test := range map[string]struct {
		place place
		says  string
		left  bool
	}{
		"a laptop":          {place{Host: "laptop"}, "it is on machine laptop", true},
		"a pod that went":   {place{Host: "runner-x2p9z", Passing: true}, "went with pod runner-x2p9z", false},
		"here":              {placeOf(env.Machine.Scratch, env), "", false},
		"here, in another":  {place{Host: "here", Directory: "1:2", Boot: boot()}, "saw another directory", true},
		"before a restart":  {place{Host: "here", Directory: "1:2", Boot: "earlier"}, "", false},
		"of an old gameday": {place{Host: "here"}, "", false},
	} {
		there := home{Path: filepath.Join(env.Machine.Scratch, "gameday-"+env.RunID+"-00000001"), place: test.place}
		summary, err := there.remove(env)
		if (err != nil) != test.left || test.left && !experiments.IsLasting(err) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			summary = err.Error()
		}
		if !strings.Contains(summary, test.says) {
			t.Errorf("%s: %s", name, summary)
		}
	}
}

func TestUndoRemovesADraftAndNoSnapshot(t *testing.T) {
	env := machine(t, "here")
	draft := filepath.Join(env.Machine.Scratch, ".gameday-"+env.RunID+"-00000001"+unverified)
	stored := filepath.Join(env.Machine.Scratch, "etcd-prod-20261123T013000Z.db")
	for _, path := range []string{draft, draft + ".part", stored} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	undo := func(draft string) error {
		var plan experiments.Plan
		if err := plan.SetData(snapshotPlan{Directory: env.Machine.Scratch, Place: placeOf(env.Machine.Scratch, env), Draft: draft}); err != nil {
			t.Fatal(err)
		}
		_, err := new(Snapshot).Undo(t.Context(), env, plan)
		return err
	}
	if err := undo(draft); err != nil {
		t.Error(err)
	}
	if err := undo(stored); err == nil {
		t.Error("a stored snapshot was taken for a draft")
	}
	left, err := os.ReadDir(env.Machine.Scratch)
	if err != nil || len(left) != 1 || left[0].Name() != filepath.Base(stored) {
		t.Errorf("left: %v, %v", left, err)
	}
}

// A stray file, one from a clock that was ahead, or one of another cluster
// neither costs a good snapshot its place nor is removed.
func TestPruneKeepsWhatWasJustStored(t *testing.T) {
	directory := t.TempDir()
	day := func(n int) time.Time { return time.Date(2026, 11, n, 2, 0, 0, 0, time.UTC) }
	store := func(series string, taken time.Time, content string, sidecar bool) string {
		path := filepath.Join(directory, snapshots.Name(series, taken))
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if sidecar {
			if err := snapshots.WriteSidecar(path, strings.Repeat("0", 64)); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	const ours = "prod-0000002a"
	stays := []string{
		store(ours, day(23), "just stored", true),
		store(ours, day(22), "the second to keep", true),
		store(ours, day(21), "never completed", false),
		store(ours, day(20), "", true),
		store(ours, day(24), "from a clock ahead", true),
		store("prod-0000002b", day(1), "of another cluster", true),
	}
	goes := []string{store(ours, day(19), "too old", true), store(ours, day(18), "older", true)}
	keep := 2
	pruning := &taking{spec: &Snapshot{Keep: &keep}, plan: snapshotPlan{Directory: directory}}
	if left := pruning.prune(stays[0], ours); len(left) > 0 {
		t.Error(left)
	}
	for _, path := range stays {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	for _, path := range goes {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is still there (%v)", path, err)
		}
	}
}
