package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gameday": main, "speaks-while-running": speaksWhileRunning})
}

// speaksWhileRunning is a run as far as its signals and its output go.
func speaksWhileRunning() {
	_, stop := catchInterrupts()
	defer stop()
	fmt.Fprintln(os.Stderr, "undoing")
	fmt.Fprintln(os.Stdout, "undone")
}

// TestScripts plays the promises of the command line that need no cluster.
func TestScripts(t *testing.T) {
	recordings, err := filepath.Abs(filepath.Join("testdata", "recordings"))
	if err != nil {
		t.Fatal(err)
	}
	library, err := filepath.Abs(filepath.Join("..", "..", "scenarios", "library"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("RECORDINGS", recordings)
			env.Setenv("LIBRARY", library)
			// No script may find a cluster of the person who runs it.
			env.Setenv("KUBECONFIG", filepath.Join(env.WorkDir, "no-kubeconfig"))
			env.Setenv("HOME", env.WorkDir)
			return os.Mkdir(filepath.Join(env.WorkDir, "runs"), 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}
