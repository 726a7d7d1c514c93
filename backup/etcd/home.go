package etcd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"gameday.dev/gameday/experiments"
)

// home is the one directory that holds everything a climb makes. Removing it
// undoes the step, whatever became of the process.
type home struct {
	Path string `json:"path"`
	place
}

// homeMark is a file in every home that says whose it is.
const homeMark = "gameday-run"

// newHome names a home of its own for each step of each run.
func newHome(env experiments.Env) home {
	name := fmt.Sprintf("gameday-%s-%08x", env.RunID, env.Rand.Uint32())
	return home{Path: filepath.Join(env.Machine.Scratch, name), place: placeOf(env.Machine.Scratch, env)}
}

// isHome says whether Undo may remove a directory of that name: a plan comes from
// a ConfigMap, and whoever may write that must not have anything else removed.
func isHome(path, runID string) bool {
	return filepath.IsAbs(path) && regexp.MustCompile("^gameday-"+regexp.QuoteMeta(runID)+"-[0-9a-f]{8}$").MatchString(filepath.Base(path))
}

func (h home) make(runID string) error {
	if err := os.Mkdir(h.Path, 0o700); err != nil {
		return fmt.Errorf("making scratch directory: %w", err)
	}
	if err := os.WriteFile(h.join(homeMark), []byte(runID), 0o600); err != nil {
		return fmt.Errorf("marking scratch directory: %w", err)
	}
	return nil
}

func (h home) join(name string) string { return filepath.Join(h.Path, name) }

// remove removes the home and says what it did, or what is left and where.
func (h home) remove(env experiments.Env) (string, error) {
	if !isHome(h.Path, env.RunID) {
		return "", experiments.Lasting(fmt.Errorf("removing scratch directory %q: it is none of run %s: look at it, and remove it by hand", h.Path, env.RunID))
	}
	info, err := os.Lstat(h.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return h.gone("scratch directory", h.Path, env)
	case err != nil:
		return "", fmt.Errorf("looking for scratch directory: %w", err)
	case !info.IsDir() || !h.marked(env.RunID):
		return "", experiments.Lasting(fmt.Errorf("removing scratch directory %s: it is not one that run %s has made: look at it, and remove it by hand", h.Path, env.RunID))
	}
	if err := os.RemoveAll(h.Path); err != nil {
		return "", fmt.Errorf("removing scratch directory: %w: finish it with rm -rf %s", err, h.Path)
	}
	return "scratch directory removed", nil
}

// marked says whether the directory is the run's: by its mark, or because
// the run was killed before it made one and there is nothing in it.
func (h home) marked(runID string) bool {
	mark, err := os.ReadFile(h.join(homeMark))
	if err == nil {
		return string(mark) == runID
	}
	entries, err := os.ReadDir(h.Path)
	return err == nil && len(entries) == 0
}

// Undo removes everything the step has made on its machine. The processes it
// started do not outlive the one that started them.
func (s *Restore) Undo(_ context.Context, env experiments.Env, plan experiments.Plan) (string, error) {
	var own restorePlan
	if err := plan.GetData(&own); err != nil {
		return "", err
	}
	return own.Home.remove(env)
}
