package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"time"

	"gameday.dev/gameday/test/cluster/internal/filelock"
)

// Phases of a cluster's life.
const (
	phaseStarting = "starting"
	phaseRunning  = "running"
)

// ErrNotFound says that there is no cluster of that name.
var ErrNotFound = errors.New("no such cluster")

// A Cluster is one that was brought up, maybe by another process.
type Cluster struct {
	Options
	Slot    Slot      `json:"slot"`
	Phase   string    `json:"phase"`
	Created time.Time `json:"created"`
	// Programs are the paths of the built programs. They are kept so that a
	// daemon restarted later is the one that ran before.
	Programs map[string]string `json:"programs"`
	// Grouped says that all processes are in a cgroup of the cluster; without
	// root there is none, and they are found by their pid files.
	Grouped bool `json:"grouped"`
	// Images are the archives that every node gets.
	Images []string `json:"images"`
	// S3Keys are those of the S3 server; empty when there is none.
	S3Keys S3Keys `json:"s3Keys,omitzero"`

	dir string
}

// Dir is the cluster's state directory.
func (c *Cluster) Dir() string { return c.dir }

// Kubeconfig is the file that an administrator of the cluster uses.
func (c *Cluster) Kubeconfig() string { return c.path("kubeconfig") }

// Context is the name of the context in Kubeconfig.
func (c *Cluster) Context() string { return "gameday-" + c.Name }

// LogDir holds the logs of all daemons.
func (c *Cluster) LogDir() string { return c.path("logs") }

func (c *Cluster) path(elements ...string) string {
	return filepath.Join(append([]string{c.dir}, elements...)...)
}

// groupRoot is the cgroup of all clusters.
const groupRoot = "/gameday"

// group is the cgroup of everything that belongs to the cluster. Two users
// may have clusters of one name, but not of one slot.
func (c *Cluster) group(elements ...string) string {
	return filepath.Join(append([]string{clusterGroup(c.Slot, c.Name)}, elements...)...)
}

func clusterGroup(s Slot, name string) string { return fmt.Sprintf("%s/%d-%s", groupRoot, s, name) }

// maxSocketPath is how long the path of a unix socket may be.
const maxSocketPath = 103

func newCluster(o Options) (*Cluster, error) {
	home, err := stateHome()
	if err != nil {
		return nil, err
	}
	c := &Cluster{Options: o, Phase: phaseStarting, Created: time.Now().UTC(), Programs: map[string]string{}, dir: filepath.Join(home, o.Name)}
	last := &Node{Name: nodeName(o.Nodes), cluster: c}
	if longest := last.containerdSocket(); o.Flavour == Local && len(longest) > maxSocketPath {
		return nil, fmt.Errorf("%s is too long a path for sockets (%d characters of at most %d): set XDG_STATE_HOME to a shorter one",
			longest, len(longest), maxSocketPath)
	}
	return c, nil
}

// save writes the state; a reader sees the old or the new one, never half.
func (c *Cluster) save() error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	half := c.path(".cluster.json")
	if err := os.WriteFile(half, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(half, c.path("cluster.json"))
}

// Open finds the cluster of that name.
func Open(name string) (*Cluster, error) {
	if !validName.MatchString(name) {
		return nil, fmt.Errorf("cluster %q: %w", name, ErrNotFound)
	}
	home, err := stateHome()
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: filepath.Join(home, name)}
	text, err := os.ReadFile(c.path("cluster.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cluster %s: %w: bring it up with: make cluster-up NAME=%s", name, ErrNotFound, name)
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("reading the state of cluster %s: %w: remove it with: make cluster-down NAME=%s", name, err, name)
	}
	return c, nil
}

// Names are the names of all clusters that left a trace, running or not.
func Names() ([]string, error) {
	home, err := stateHome()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(home)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() && validName.MatchString(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}

// lockPatience is how long a lock is waited for: a child that its holder was about
// to start when it was killed has it until it is a program of its own, which takes
// its time on a busy machine.
const lockPatience = 5 * time.Second

// lock keeps two processes from bringing the same cluster up or down at once.
// The kernel releases it when its holder dies.
func lock(ctx context.Context, name string) (func(), error) {
	home, err := stateHome()
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeoutCause(ctx, lockPatience, filelock.ErrHeld)
	defer cancel()
	unlock, err := filelock.Lock(waiting, filepath.Join(home, "."+name+".lock"))
	if errors.Is(err, filelock.ErrHeld) {
		return nil, fmt.Errorf("cluster %s is being brought up or down by another process: wait for it or end it, then try again", name)
	}
	return unlock, err
}
