package cluster

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"gameday.dev/gameday/scenarios"
)

func testCluster(t *testing.T, o Options) *Cluster {
	t.Helper()
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		t.Fatal(err)
	}
	c := &Cluster{Options: o, Slot: 4, Programs: map[string]string{}, dir: t.TempDir()}
	for _, name := range append(o.wanted(), agent, webhook, provisioner) {
		c.Programs[name] = "/programs/" + name
	}
	return c
}

func TestOptions(t *testing.T) {
	for _, bad := range []Options{
		{Name: "Upper"}, {Name: "a/b"}, {Name: strings.Repeat("x", 31)}, {Name: "-"},
		{Flavour: "docker"}, {Flavour: Kwok, Velero: true}, {Nodes: -1}, {Nodes: maxNodes + 1}, {Etcd: 2}, {Kubernetes: "latest"},
		{VeleroVersion: "1.15"},
	} {
		if err := bad.withDefaults().validate(); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
	for _, good := range []Options{{}, {Name: "a"}, {Nodes: 5000, Flavour: Kwok}, {Etcd: 3}} {
		if err := good.withDefaults().validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for given, want := range map[string]string{"": "1.36.3", "1.35": "1.35.4", "v1.35.4": "1.35.4", "1.36.2": "1.36.2"} {
		if got := (Options{Kubernetes: given}).withDefaults().Kubernetes; got != want {
			t.Errorf("Kubernetes %q means %s, want %s", given, got, want)
		}
	}
	for given, want := range map[string]string{"": "1.18.3", "1.17": "1.17.2", "v1.16": "1.16.2", "v1.16.2": "1.16.2"} {
		if got := (Options{VeleroVersion: given}).withDefaults().VeleroVersion; got != want {
			t.Errorf("Velero %q means %s, want %s", given, got, want)
		}
	}
}

// A node's files are rendered without an empty value and are what they claim to be.
func TestNodeConfiguration(t *testing.T) {
	c := testCluster(t, Options{})
	n, err := c.Node("n2")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.prepare(); err != nil {
		t.Fatal(err)
	}
	var kubelet struct{ CgroupRoot string }
	if err := yaml.Unmarshal([]byte(tail(n.path("etc", "kubelet.yaml"), 1000)), &kubelet); err != nil {
		t.Errorf("kubelet configuration: %v", err)
	}
	if want := "/gameday/4-gameday/n2"; kubelet.CgroupRoot != want {
		t.Errorf("the kubelet's cgroup is %q, want %q", kubelet.CgroupRoot, want)
	}
	network := tail(n.path("etc", "cni", "10-gameday.conflist"), 1000)
	var any map[string]any
	if err := yaml.UnmarshalStrict([]byte(network), &any); err != nil {
		t.Errorf("network configuration: %v", err)
	}
	if !strings.Contains(network, `"10.134.2.0/24"`) {
		t.Errorf("the network configuration lacks the node's subnet:\n%s", network)
	}
	if _, err := c.Node("n4"); err == nil || !strings.Contains(err.Error(), "n1 to n3") {
		t.Errorf("node n4 of 3: %v", err)
	}
	if _, err := n.Daemon("sshd"); err == nil {
		t.Errorf("the node has a daemon that it has not")
	}
}

func TestEtcdMembersKnowEachOther(t *testing.T) {
	c := testCluster(t, Options{Etcd: 3})
	var lists []string
	for _, name := range c.Daemons()[:3] {
		command, err := c.command(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range command {
			if list, ok := strings.CutPrefix(flag, "--initial-cluster="); ok {
				lists = append(lists, list)
			}
		}
		if !slices.Contains(command, "--peer-client-cert-auth") || !slices.Contains(command, "--client-cert-auth") {
			t.Errorf("%s takes clients or peers without a certificate", name)
		}
	}
	if len(lists) != 3 || lists[0] != lists[1] || lists[1] != lists[2] || strings.Count(lists[0], "https://") != 3 {
		t.Errorf("the members' lists of members: %q", lists)
	}
}

// The file that users give to gameday is one that gameday takes.
func TestEnvironment(t *testing.T) {
	for _, o := range []Options{{}, {Monitoring: true, Etcd: 3, Encryption: true, Velero: true}} {
		c := testCluster(t, o)
		environment, err := scenarios.LoadEnvironment(scenarios.Source{Name: "gameday.yaml", Data: []byte(c.environment())})
		if err != nil {
			t.Fatalf("%v:\n%s", err, c.environment())
		}
		spec := environment.Spec
		if spec.Context != c.Context() || spec.Kubeconfig != c.Kubeconfig() || (spec.Prometheus != nil) != o.Monitoring ||
			(spec.Velero != nil) != o.Velero || (spec.Image == GamedayImage) != o.Velero {
			t.Errorf("the environment is %+v", spec)
		}
		if at := spec.Etcd; !slices.Equal(at.Endpoints, c.EtcdEndpoints()) || at.APIServer != "/programs/kube-apiserver" || at.EncryptionConfig != c.EncryptionConfig() {
			t.Errorf("its etcd is %+v", at)
		}
	}
}

// The keys are new for each cluster, and the API server is told of them.
func TestEncryption(t *testing.T) {
	var texts []string
	for range 2 {
		c := testCluster(t, Options{Encryption: true})
		if err := os.Mkdir(c.path("pki"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := c.writeEncryptionConfig(); err != nil {
			t.Fatal(err)
		}
		text := tail(c.EncryptionConfig(), 1000)
		for _, want := range []string{"aescbc", "secretbox", "aesgcm"} {
			if !strings.Contains(text, want) {
				t.Errorf("nothing is encrypted by %s", want)
			}
		}
		if !slices.Contains(c.apiServerCommand(), "--encryption-provider-config="+c.EncryptionConfig()) {
			t.Error("the API server does not encrypt")
		}
		texts = append(texts, text)
	}
	if texts[0] == texts[1] {
		t.Error("two clusters have the same keys")
	}
	if plain := testCluster(t, Options{}); plain.EncryptionConfig() != "" || strings.Contains(strings.Join(plain.apiServerCommand(), " "), "encryption") {
		t.Error("a cluster encrypts without having been asked to")
	}
}

// Every daemon has a command and can be seen to serve, in every flavour.
func TestDaemons(t *testing.T) {
	for _, o := range []Options{{Monitoring: true, Velero: true}, {Flavour: Kwok, Monitoring: true, Etcd: 3}} {
		c := testCluster(t, o)
		for _, name := range c.Daemons() {
			command, err := c.command(name)
			if err != nil || !strings.HasPrefix(command[0], "/programs/") {
				t.Errorf("%s of %s: command %q, %v", name, c.Options, command, err)
			}
			if c.readiness(name) == nil {
				t.Errorf("%s of %s: nothing tells when it serves", name, c.Options)
			}
		}
	}
}

func TestEveryWantedProgramIsInVersions(t *testing.T) {
	for _, o := range []Options{{Monitoring: true, Velero: true}, {Flavour: Kwok}} {
		o = o.withDefaults()
		for _, name := range o.wanted() {
			if _, err := o.find(name); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestStateIsFoundAgain(t *testing.T) {
	home, err := os.MkdirTemp("", "gd") // t.TempDir is too long a path for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	t.Setenv("XDG_STATE_HOME", home)
	if _, err := Open("gameday"); err == nil {
		t.Fatal("a cluster was found that is not there")
	}
	c, err := newCluster(Options{Nodes: 2, Progress: io.Discard}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	c.Slot, c.Programs[etcd] = 7, "/programs/etcd"
	if err := claimDirectories(c); err != nil {
		t.Fatal(err)
	}
	if err := c.save(); err != nil {
		t.Fatal(err)
	}
	again, err := Open("gameday")
	if err != nil {
		t.Fatal(err)
	}
	if again.Slot != 7 || again.Nodes != 2 || again.Programs[etcd] != "/programs/etcd" || again.Dir() != c.Dir() {
		t.Errorf("found %+v, saved %+v", again, c)
	}
	if names, err := Names(); err != nil || !slices.Equal(names, []string{"gameday"}) {
		t.Errorf("names: %v, %v", names, err)
	}
	if c.Kubeconfig() != filepath.Join(c.Dir(), "kubeconfig") {
		t.Errorf("the kubeconfig is %s", c.Kubeconfig())
	}
}
