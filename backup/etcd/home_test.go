package etcd

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gameday.dev/gameday/experiments"
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
	if err := own.make(); err != nil {
		t.Fatal(err)
	}
	if err := own.make(); err == nil {
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
	link := newHome(env).Path
	if err := os.Symlink(precious, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "", precious, other, link, precious + "/../precious", "gameday-20261123-020000-3f2a-relative"} {
		var plan experiments.Plan
		if err := plan.SetData(restorePlan{Home: home{Path: path, Host: "runner"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := new(Restore).Undo(t.Context(), env, plan); err == nil {
			t.Errorf("undo of %q says that all is well", path)
		}
	}
	for _, dir := range []string{precious, other} {
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
	}
}

func TestUndoOnAnotherMachine(t *testing.T) {
	env := machine(t, "here")
	for name, test := range map[string]struct {
		home home
		says string
		left bool
	}{
		"a laptop":        {home{Host: "laptop"}, "it is on machine laptop", true},
		"a pod that went": {home{Host: "runner-x2p9z", Passing: true}, "went with pod runner-x2p9z", false},
		"here":            {home{Host: "here"}, "", false},
	} {
		test.home.Path = filepath.Join(env.Machine.Scratch, homePrefix(env.RunID)+"00000001")
		summary, err := test.home.remove(env)
		if (err != nil) != test.left {
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
	draft := filepath.Join(env.Machine.Scratch, "."+homePrefix(env.RunID)+"00000001"+unverified)
	stored := filepath.Join(env.Machine.Scratch, "etcd-prod-20261123T013000Z.db")
	for _, path := range []string{draft, draft + ".part", stored} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	undo := func(draft string) error {
		var plan experiments.Plan
		if err := plan.SetData(snapshotPlan{Directory: env.Machine.Scratch, Host: "here", Draft: draft}); err != nil {
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
