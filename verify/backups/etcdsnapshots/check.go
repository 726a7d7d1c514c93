package etcdsnapshots

import (
	"context"
	"path/filepath"

	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/verify"
)

// check is the check of one scenario. It holds no state: what it saw is
// in the record, so that a judge in another process finds the same.
type check struct {
	name string
	spec Spec
}

// New makes the check called name.
func New(name string, spec Spec) verify.Check {
	return &check{name: name, spec: spec}
}

var _ verify.Preflight = (*check)(nil)

// minKept is how many snapshots must be there.
func (c *check) minKept() int { return max(1, c.spec.MinKept) }

// directory is the one that is looked at, as an absolute path.
func (c *check) directory(env verify.Env) (string, error) {
	directory := c.spec.Directory
	if directory == "" {
		directory = env.SnapshotDirectory
	}
	if directory == "" {
		return "", refusal.New("set etcdSnapshots.directory in the check, or etcd.snapshotDirectory in the Environment",
			"check %s: no directory of snapshots is known", c.name)
	}
	absolute, err := filepath.Abs(directory)
	if err != nil {
		return "", refusal.New("name it by an absolute path", "check %s: the directory %s can not be found: %v", c.name, directory, err)
	}
	return absolute, nil
}

// Preflight refuses a directory that can not be looked at: what is in it could
// never be told. What is in it is no reason to refuse.
func (c *check) Preflight(_ context.Context, env verify.Env) ([]string, error) {
	directory, err := c.directory(env)
	if err != nil {
		return nil, err
	}
	look := newEyes(directory).look()
	if look.Problem != "" {
		return nil, refusal.New("is it the directory of this machine, or of the pod, that snapshots are written to?", "check %s: %s", c.name, look.Problem)
	}
	return []string{look.describe()}, nil
}

// Permissions are none: it reads files, not the cluster.
func (c *check) Permissions() []kube.Permission { return nil }
