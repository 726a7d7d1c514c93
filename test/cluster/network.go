package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	"gameday.dev/gameday/test/cluster/internal/process"
)

// The network of a cluster is one bridge, to which each node has a link, and
// routes: everything is routed as with kind, so that no filter on bridged
// packets is needed. There is no way out of the machine.

// ip runs commands of the ip program. They take effect one after another; the
// first that fails ends it.
func ip(ctx context.Context, commands ...string) error {
	return runIP(exec.CommandContext(ctx, "ip", "-batch", "-"), commands)
}

// ipInside runs commands of the ip program in the network of a process.
func ipInside(ctx context.Context, pid int, commands ...string) error {
	network := fmt.Sprintf("--net=/proc/%d/ns/net", pid)
	return runIP(exec.CommandContext(ctx, "nsenter", network, "ip", "-batch", "-"), commands)
}

func runIP(cmd *exec.Cmd, commands []string) error {
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := process.RunHelper(cmd); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(commands, "; "), err, bytes.TrimSpace(out.Bytes()))
	}
	return nil
}

func linkExists(name string) bool {
	_, err := os.Stat("/sys/class/net/" + name)
	return err == nil
}

// deleteLink deletes a link; one that is not there is no error.
func deleteLink(ctx context.Context, name string) error {
	if !linkExists(name) {
		return nil
	}
	if err := ip(ctx, "link del "+name); err != nil && linkExists(name) {
		return err
	}
	return nil
}

// networkFree is an error when the slot's network is in use on this machine.
func networkFree(s Slot) error {
	if linkExists(s.bridge()) {
		return fmt.Errorf("link %s exists", s.bridge())
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	_, nodes, err := net.ParseCIDR(s.bridgeAddress() + "/24")
	if err != nil {
		return err
	}
	_, pods, err := net.ParseCIDR(s.podSubnet())
	if err != nil {
		return err
	}
	for _, address := range addresses {
		own, ok := address.(*net.IPNet)
		if ok && (nodes.Contains(own.IP) || pods.Contains(own.IP) || own.Contains(nodes.IP)) {
			return fmt.Errorf("this machine has address %s", own)
		}
	}
	return nil
}

func (c *Cluster) createBridge(ctx context.Context) error {
	bridge := c.Slot.bridge()
	return ip(ctx,
		fmt.Sprintf("link add %s type bridge", bridge),
		fmt.Sprintf("addr add %s/24 dev %s", c.Slot.bridgeAddress(), bridge),
		fmt.Sprintf("link set %s up", bridge))
}

// connect gives the node whose process 1 is pid its link, address and routes,
// and the machine its routes to the node.
func (n *Node) connect(ctx context.Context, pid int) error {
	s := n.cluster.Slot
	link := s.nodeLink(n.index)
	// The end of a former life may still be there.
	if err := deleteLink(ctx, link); err != nil {
		return err
	}
	if err := ip(ctx,
		fmt.Sprintf("link add %s type veth peer name eth0 netns %d", link, pid),
		fmt.Sprintf("link set %s master %s up", link, s.bridge())); err != nil {
		return err
	}
	inside := []string{
		"link set lo up",
		fmt.Sprintf("addr add %s/24 dev eth0", s.nodeAddress(n.index)),
		"link set eth0 up",
		"route add default via " + s.bridgeAddress(),
	}
	for other := 1; other <= n.cluster.Nodes; other++ {
		if other != n.index {
			inside = append(inside, fmt.Sprintf("route add %s via %s", s.nodePodSubnet(other), s.nodeAddress(other)))
		}
	}
	if err := ipInside(ctx, pid, inside...); err != nil {
		return err
	}
	routes := []string{fmt.Sprintf("route replace %s via %s dev %s", s.nodePodSubnet(n.index), s.nodeAddress(n.index), s.bridge())}
	if n.index == 1 {
		// So that programs on the machine reach services, through the kube-proxy of the first node.
		routes = append(routes, fmt.Sprintf("route replace %s via %s dev %s", s.serviceSubnet(), s.nodeAddress(1), s.bridge()))
	}
	return ip(ctx, routes...)
}

// deleteNetwork removes every link of the slot. Routes go with their link.
func deleteNetwork(ctx context.Context, s Slot) error {
	entries, err := os.ReadDir("/sys/class/net")
	if errors.Is(err, os.ErrNotExist) {
		return nil // not linux
	}
	if err != nil {
		return err
	}
	var failed error
	for _, entry := range entries {
		if entry.Name() == s.bridge() || strings.HasPrefix(entry.Name(), s.bridge()+"n") {
			failed = errors.Join(failed, deleteLink(ctx, entry.Name()))
		}
	}
	return failed
}
