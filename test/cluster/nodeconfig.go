package cluster

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/template"
)

//go:embed config manifests
var files embed.FS

// render fills one of the embedded files in.
func render(name string, values any) ([]byte, error) {
	t, err := template.New(filepath.Base(name)).Option("missingkey=error").ParseFS(files, name)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, values); err != nil {
		return nil, fmt.Errorf("rendering %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// cniDirs are where distributions keep the CNI plugins.
var cniDirs = []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"}

func cniDir() (string, bool) {
	for _, dir := range cniDirs {
		if _, err := os.Stat(filepath.Join(dir, "ptp")); err == nil {
			return dir, true
		}
	}
	return "", false
}

// writeConfiguration writes what the node's daemons read.
func (n *Node) writeConfiguration() error {
	c := n.cluster
	plugins, _ := cniDir()
	values := map[string]any{
		"PauseImage":       pauseImage,
		"CNIPlugins":       plugins,
		"CNIConfiguration": n.path("etc", "cni"),
		"PodSubnet":        c.Slot.nodePodSubnet(n.index),
		"Group":            n.group(),
		"ClusterCA":        c.certificate(clusterCA),
		"Certificate":      c.certificate(n.Name + "-server"),
		"Key":              c.key(n.Name + "-server"),
		"DNS":              c.Slot.dnsService(),
	}
	for name, target := range map[string]string{
		"config/containerd.toml": "etc/containerd.toml",
		"config/kubelet.yaml":    "etc/kubelet.yaml",
		"config/cni.conflist":    "etc/cni/10-gameday.conflist",
	} {
		text, err := render(name, values)
		if err != nil {
			return err
		}
		if err := n.writeFile(target, text); err != nil {
			return err
		}
	}
	return nil
}

// command is how a daemon in the node is run.
func (n *Node) command(name string) ([]string, error) {
	c := n.cluster
	switch name {
	case containerd:
		return []string{c.Programs[containerd], "--config", n.path("etc", "containerd.toml")}, nil
	case kubelet:
		return []string{
			c.Programs[kubelet],
			"--config=" + n.path("etc", "kubelet.yaml"),
			"--kubeconfig=" + c.kubeconfigOf(n.Name),
			"--hostname-override=" + n.Name,
			"--node-ip=" + n.Address(),
			"--v=2",
		}, nil
	case kubeProxy:
		return []string{
			c.Programs[kubeProxy],
			"--kubeconfig=" + c.kubeconfigOf(kubeProxy),
			"--hostname-override=" + n.Name,
			"--proxy-mode=nftables",
			"--cluster-cidr=" + c.Slot.podSubnet(),
			"--nodeport-addresses=primary",
			// These limits are the machine's, read-only in a network namespace.
			"--conntrack-max-per-core=0",
			"--conntrack-tcp-timeout-established=0",
			"--conntrack-tcp-timeout-close-wait=0",
		}, nil
	}
	return nil, fmt.Errorf("node %s has no daemon %q: it has %s, %s and %s", n.Name, name, containerd, kubelet, kubeProxy)
}

// env is the environment of the node's processes: containerd looks its shim
// up in PATH.
func (n *Node) env() []string {
	dirs := []string{filepath.Dir(n.cluster.Programs[containerd]), "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
	return []string{"PATH=" + joinPath(slices.Compact(dirs))}
}

func joinPath(dirs []string) string {
	path := dirs[0]
	for _, dir := range dirs[1:] {
		path += string(filepath.ListSeparator) + dir
	}
	return path
}
