package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gameday.dev/gameday/test/cluster/internal/cgroup"
	"gameday.dev/gameday/test/cluster/internal/nodeinit"
	"gameday.dev/gameday/test/cluster/internal/process"
)

// A Node is a machine of the cluster: namespaces with a kubelet, containerd
// and kube-proxy in them.
type Node struct {
	Name string

	cluster *Cluster
	index   int // from 1
}

func nodeName(index int) string { return fmt.Sprintf("n%d", index) }

// AllNodes are the cluster's nodes, those without power included.
func (c *Cluster) AllNodes() ([]*Node, error) {
	if c.Flavour != Local {
		return nil, fmt.Errorf("the nodes of cluster %s only pretend: use the %s flavour", c.Name, Local)
	}
	var nodes []*Node
	for i := 1; i <= c.Nodes; i++ {
		nodes = append(nodes, &Node{Name: nodeName(i), cluster: c, index: i})
	}
	return nodes, nil
}

// Node is the node of that name.
func (c *Cluster) Node(name string) (*Node, error) {
	nodes, err := c.AllNodes()
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if n.Name == name {
			return n, nil
		}
	}
	return nil, fmt.Errorf("cluster %s has no node %q: it has n1 to n%d", c.Name, name, c.Nodes)
}

// Address is the node's IP address.
func (n *Node) Address() string { return n.cluster.Slot.nodeAddress(n.index) }

func (n *Node) path(elements ...string) string {
	return n.cluster.path(append([]string{"nodes", n.Name}, elements...)...)
}

func (n *Node) containerdSocket() string { return n.path("run", "containerd.sock") }
func (n *Node) pidFile() string          { return n.cluster.path("run", n.Name+".pid") }

// group is the node's cgroup; its daemons are in a child of it beside the pods.
func (n *Node) group() string        { return n.cluster.group(n.Name) }
func (n *Node) daemonsGroup() string { return n.cluster.group(n.Name, "daemons") }

// volatile are the directories that a reboot empties; the others survive it.
var volatile = map[string]string{
	"run":   "/run/containerd",
	"netns": "/run/netns",
}

// durable are the directories of the node, put at the standard paths, so that
// no program in a pod or on the node needs to be told of another path.
var durable = map[string]string{
	"kubelet":    "/var/lib/kubelet",
	"containerd": "/var/lib/containerd",
	"cni":        "/var/lib/cni",
	"log":        "/var/log",
	"mnt":        "/mnt",
}

// VolumeDir is the directory on the machine that is /mnt in the node: a place
// for local volumes.
func (n *Node) VolumeDir() string { return n.path("mnt") }

// powerOn starts the node's process 1, connects it and starts containerd. The
// rest follows with join.
func (n *Node) powerOn(ctx context.Context) error {
	if n.Powered() {
		return fmt.Errorf("node %s has power already", n.Name)
	}
	if err := errors.Join(n.renewGroup(), n.prepare()); err != nil {
		return fmt.Errorf("preparing node %s: %w", n.Name, err)
	}
	pid, err := n.startInit()
	if err != nil {
		return fmt.Errorf("starting node %s: %w", n.Name, err)
	}
	client := nodeinit.Client{Socket: n.path("init.sock")}
	err = until(ctx, 20*time.Second, 10*time.Millisecond, "node "+n.Name+" to start", func(ctx context.Context) error {
		if !n.Powered() {
			return final(fmt.Errorf("its process 1 has ended:\n%s", tail(n.initLog(), 5)))
		}
		_, err := client.Daemons(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if err := n.connect(ctx, pid); err != nil {
		return fmt.Errorf("connecting node %s: %w", n.Name, err)
	}
	return n.start(ctx, containerd)
}

// renewGroup empties the node's cgroup, as a reboot does. The kubelet would ask
// containerd about each pod it finds there, and take three seconds for each to
// learn that it is gone.
func (n *Node) renewGroup() error {
	if err := cgroup.Destroy(n.group(), 10*time.Second); err != nil {
		return err
	}
	return cgroup.Create(n.daemonsGroup())
}

func (n *Node) initLog() string { return n.cluster.path("logs", n.Name+"-init.log") }

// prepare makes the node's directories and files.
func (n *Node) prepare() error {
	config := nodeinit.Config{Hostname: n.Name, Group: n.daemonsGroup(), Socket: n.path("init.sock")}
	for name, target := range volatile {
		if err := os.RemoveAll(n.path(name)); err != nil {
			return err
		}
		config.Mounts = append(config.Mounts, nodeinit.Mount{Source: n.path(name), Target: target})
	}
	for name, target := range durable {
		config.Mounts = append(config.Mounts, nodeinit.Mount{Source: n.path(name), Target: target})
	}
	for _, m := range config.Mounts {
		if err := os.MkdirAll(m.Source, 0o755); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	if err := n.writeFile("init.json", text); err != nil {
		return err
	}
	// Else the socket of a former life would be taken for the new one's.
	if err := os.Remove(n.path("init.sock")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return n.writeConfiguration()
}

func (n *Node) writeFile(name string, content []byte) error {
	file := n.path(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o644)
}

func (n *Node) start(ctx context.Context, daemon string) error {
	d, err := n.Daemon(daemon)
	if err != nil {
		return err
	}
	return d.Start(ctx)
}

// join starts what makes the node part of the cluster; the API server must be there.
func (n *Node) join(ctx context.Context) error {
	if err := n.start(ctx, kubelet); err != nil {
		return err
	}
	return n.start(ctx, kubeProxy)
}

// Powered says whether the node's process 1 is there.
func (n *Node) Powered() bool {
	_, err := process.Read(n.pidFile())
	return err == nil
}

// PowerOff ends everything in the node at once, as a cut power cord does:
// kubelet, containerd, pods, mounts and network.
func (n *Node) PowerOff(ctx context.Context) error {
	if err := process.Signal(n.pidFile(), syscall.SIGKILL); err != nil {
		return fmt.Errorf("cutting the power of node %s: %w", n.Name, err)
	}
	return until(ctx, 20*time.Second, 10*time.Millisecond, "node "+n.Name+" to lose power", func(context.Context) error {
		if n.Powered() {
			return errors.New("it still runs")
		}
		return nil
	})
}

// PowerOn boots the node. It does not wait for it to be Ready.
func (n *Node) PowerOn(ctx context.Context) error {
	if err := n.powerOn(ctx); err != nil {
		return err
	}
	return n.join(ctx)
}

// CutLink takes the node off the network. It keeps running.
func (n *Node) CutLink(ctx context.Context) error {
	if err := ip(ctx, "link set "+n.cluster.Slot.nodeLink(n.index)+" down"); err != nil {
		return fmt.Errorf("cutting the link of node %s: %w", n.Name, err)
	}
	return nil
}

// RestoreLink undoes CutLink. The node may take some seconds to be Ready:
// connections have to time out first.
func (n *Node) RestoreLink(ctx context.Context) error {
	if err := ip(ctx, "link set "+n.cluster.Slot.nodeLink(n.index)+" up"); err != nil {
		return fmt.Errorf("restoring the link of node %s: %w", n.Name, err)
	}
	return nil
}
