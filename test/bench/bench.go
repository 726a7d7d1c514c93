package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"gameday.dev/gameday/test/cluster"
)

// bench is what all subjects share.
type bench struct {
	// root is the checkout, dir a directory for the length of this process.
	root, dir string
	// program is the gameday that is measured, built from the checkout.
	program string
	// scenarios counts those written, for their file names.
	scenarios int
	// filled is the etcd that several subjects share, nil until one asks for it.
	filled *etcdStore
}

// close ends and removes all that is left.
func (b *bench) close() {
	b.filled.stop()
	os.RemoveAll(b.dir)
}

func newBench(ctx context.Context) (*bench, error) {
	output, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	module := strings.TrimSpace(string(output))
	if err != nil || filepath.Base(module) != "go.mod" {
		return nil, fmt.Errorf("finding the checkout: run it from inside one: %w", err)
	}
	dir, err := os.MkdirTemp("", "gameday-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{root: filepath.Dir(module), dir: dir, program: filepath.Join(dir, "gameday")}
	build := exec.CommandContext(ctx, "go", "build", "-o", b.program, "./cmd/gameday")
	build.Dir, build.Env = b.root, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("building gameday: %w\n%s", err, output), os.RemoveAll(dir))
	}
	return b, nil
}

// withCluster lends a fresh kwok cluster: a real control plane, and nodes that
// pretend to run pods, so that what is measured is not the kubelets of this
// machine. It is gone afterwards.
func withCluster(ctx context.Context, name string, use func(*cluster.Cluster) error) (err error) {
	name = "bench-" + name
	c, err := cluster.Up(ctx, cluster.Options{Name: name, Flavour: cluster.Kwok, Nodes: 1, Progress: os.Stderr})
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, cluster.Down(context.WithoutCancel(ctx), name, os.Stderr))
	}()
	return use(c)
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
