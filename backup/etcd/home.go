package etcd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gameday.dev/gameday/experiments"
)

// home is the one directory that holds everything a climb makes. Removing it
// undoes the step, whatever became of the process.
type home struct {
	Path string `json:"path"`
	// Host is the machine it is on.
	Host string `json:"host"`
	// Passing says that the machine's files went away with it: a pod's.
	Passing bool `json:"passing,omitempty"`
}

// homePrefix begins the name of every home of a run: Undo removes nothing else,
// whatever a plan says.
func homePrefix(runID string) string { return "gameday-" + runID + "-" }

// newHome names a home of its own for each step of each run.
func newHome(env experiments.Env) home {
	name := fmt.Sprintf("%s%08x", homePrefix(env.RunID), env.Rand.Uint32())
	return home{Path: filepath.Join(env.Machine.Scratch, name), Host: env.Machine.Host, Passing: env.Machine.Passing}
}

func (h home) make() error {
	if err := os.Mkdir(h.Path, 0o700); err != nil {
		return fmt.Errorf("making scratch directory: %w", err)
	}
	return nil
}

func (h home) join(name string) string { return filepath.Join(h.Path, name) }

// remove removes the home and says what it did, or what is left and where.
func (h home) remove(env experiments.Env) (string, error) {
	if !strings.HasPrefix(filepath.Base(h.Path), homePrefix(env.RunID)) || !filepath.IsAbs(h.Path) {
		return "", fmt.Errorf("removing scratch directory %q: it is none of run %s: look at it, and remove it by hand", h.Path, env.RunID)
	}
	info, err := os.Lstat(h.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return h.absent(env)
	case err != nil:
		return "", fmt.Errorf("looking for scratch directory: %w", err)
	case !info.IsDir():
		return "", fmt.Errorf("removing scratch directory %s: it is no directory: look at it, and remove it by hand", h.Path)
	}
	if err := os.RemoveAll(h.Path); err != nil {
		return "", fmt.Errorf("removing scratch directory: %w: finish it with rm -rf %s", err, h.Path)
	}
	return "scratch directory removed", nil
}

// absent tells a directory that is gone from one that is on another machine.
func (h home) absent(env experiments.Env) (string, error) {
	switch {
	case h.Host == env.Machine.Host:
		return "", nil
	case h.Passing:
		return "its scratch directory went with pod " + h.Host, nil
	default:
		return "", fmt.Errorf("removing scratch directory %s: it is on machine %s, this is %s: call gameday recover there; if that machine is gone for good: kubectl -n gameday delete configmap gameday-%s",
			h.Path, h.Host, env.Machine.Host, env.RunID)
	}
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
