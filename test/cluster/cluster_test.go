package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/test/cluster"
)

// TestTwoClustersSideBySide brings one of each Kubernetes version up at once,
// one of them with Velero, resolves a service name in each, and sees that taking
// one down leaves the other alone: it can still make volumes and backups.
func TestTwoClustersSideBySide(t *testing.T) {
	needMachine(t)
	ctx := t.Context()
	names := []string{"test-left", "test-right"}
	clusters := make([]*cluster.Cluster, len(names))
	failed := make(chan error, len(names))
	for i, name := range names {
		t.Cleanup(func() { down(t, name) })
		go func() {
			var err error
			clusters[i], err = cluster.Up(ctx, cluster.Options{
				Name: name, Kubernetes: cluster.KubernetesVersions[i], Nodes: 2, Monitoring: true, Shop: true, Velero: i == 1, Progress: t.Output(),
			})
			failed <- err
		}()
	}
	for range names {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	if clusters[0].Slot == clusters[1].Slot {
		t.Fatalf("both clusters have slot %d", clusters[0].Slot)
	}
	for i, c := range clusters {
		wantDNS(ctx, t, c)
		wantVersion(ctx, t, c, "v"+cluster.KubernetesVersions[i])
	}
	down(t, names[0])
	wantNothingLeft(t, clusters[0])
	if err := clusters[1].Healthy(ctx); err != nil {
		t.Errorf("the other cluster suffers: %v", err)
	}
	// Up again finds it and changes nothing.
	var said bytes.Buffer
	o := clusters[1].Options
	o.Progress = &said
	if _, err := cluster.Up(ctx, o); err != nil || !strings.Contains(said.String(), "up and healthy already") {
		t.Errorf("up on a healthy cluster: %v, said %q", err, said.String())
	}
	wantVolumes(ctx, t, clusters[1])
	wantBackups(ctx, t, clusters[1])
	down(t, names[1])
	wantNothingLeft(t, clusters[1])
}

// wantVersion asks the API server and every kubelet.
func wantVersion(ctx context.Context, t *testing.T, c *cluster.Cluster, want string) {
	t.Helper()
	client, err := c.Client()
	if err != nil {
		t.Fatal(err)
	}
	server, err := client.Discovery().ServerVersion()
	if err != nil || server.GitVersion != want {
		t.Errorf("%s: the API server says it is %v, %v; want %s", c.Name, server, err, want)
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range nodes.Items {
		if got := node.Status.NodeInfo.KubeletVersion; got != want {
			t.Errorf("%s: the kubelet of %s says it is %s, want %s", c.Name, node.Name, got, want)
		}
	}
}

// wantDNS resolves a service with the cluster's DNS, which the machine has a route to.
func wantDNS(ctx context.Context, t *testing.T, c *cluster.Cluster) {
	t.Helper()
	client, err := c.Client()
	if err != nil {
		t.Fatal(err)
	}
	dns, err := client.CoreV1().Services("kube-system").Get(ctx, "kube-dns", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	web, err := client.CoreV1().Services("shop").Get(ctx, "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, net.JoinHostPort(dns.Spec.ClusterIP, "53"))
	}}
	within(t, 30*time.Second, c.Name+": web resolves", func() error {
		addresses, err := resolver.LookupHost(ctx, "web.shop.svc.cluster.local.")
		if err == nil && (len(addresses) != 1 || addresses[0] != web.Spec.ClusterIP) {
			err = fmt.Errorf("web is at %v, want %s", addresses, web.Spec.ClusterIP)
		}
		return err
	})
}

// TestKilledStarter kills the command in the middle of up, at several moments,
// and wants that down leaves nothing each time.
func TestKilledStarter(t *testing.T) {
	needMachine(t)
	command := filepath.Join(t.TempDir(), "cluster")
	if out, err := exec.Command("go", "build", "-o", command, "./cmd/cluster").CombinedOutput(); err != nil {
		t.Fatalf("building the command: %v\n%s", err, out)
	}
	const name = "test-killed"
	t.Cleanup(func() { down(t, name) })
	// What the command says before it is killed; a moment later is another place in its work.
	for _, moment := range []struct {
		after string
		wait  time.Duration
	}{
		{"cluster " + name + ":", 20 * time.Millisecond},
		{"prepared", 0},
		{"prepared", 300 * time.Millisecond},
		{"prepared", 1500 * time.Millisecond},
		{"control plane ready", 500 * time.Millisecond},
		{"DNS ready", time.Second},
	} {
		t.Run(fmt.Sprintf("%s+%s", strings.Trim(moment.after, ":"), moment.wait), func(t *testing.T) {
			cmd := exec.Command(command, "up", "--name", name, "--nodes", "2", "--monitoring", "--shop", "--velero")
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var said string
			buffer := make([]byte, 4096)
			for !strings.Contains(said, moment.after) {
				n, err := stderr.Read(buffer)
				if err != nil {
					t.Fatalf("it ended before it said %q: %s", moment.after, said)
				}
				said += string(buffer[:n])
			}
			time.Sleep(moment.wait)
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()

			c, err := cluster.Open(name)
			if err != nil && !errors.Is(err, cluster.ErrNotFound) {
				t.Fatal(err)
			}
			down(t, name)
			if c != nil {
				wantNothingLeft(t, c)
			}
		})
	}
}

// TestFaults breaks a cluster in every way it can be broken and mends it.
func TestFaults(t *testing.T) {
	needMachine(t)
	ctx := t.Context()
	up(ctx, t, cluster.Options{Name: "test-faults", Nodes: 2, Etcd: 3, Encryption: true, Monitoring: true})
	// From here on as another process would do it.
	c, err := cluster.Open("test-faults")
	if err != nil {
		t.Fatal(err)
	}
	client, err := c.Client()
	if err != nil {
		t.Fatal(err)
	}
	wantEncrypted(ctx, t, c)
	node, err := c.Node("n2")
	if err != nil {
		t.Fatal(err)
	}
	must := func(what string, f func(context.Context) error) {
		t.Helper()
		if err := f(ctx); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	lost := func(what string) {
		within(t, 20*time.Second, what+": node is not Ready", wantReady(ctx, client, "n2", false))
	}
	back := func(what string) {
		within(t, 40*time.Second, what+": node is Ready again", wantReady(ctx, client, "n2", true))
	}

	kubelet, err := node.Daemon("kubelet")
	if err != nil {
		t.Fatal(err)
	}
	must("kill kubelet", kubelet.Kill)
	lost("kubelet killed")
	must("start kubelet", kubelet.Start)
	back("kubelet started")

	must("freeze kubelet", kubelet.Freeze)
	lost("kubelet frozen")
	must("thaw kubelet", kubelet.Thaw)
	back("kubelet thawed")

	must("cut link", node.CutLink)
	lost("link cut")
	must("restore link", node.RestoreLink)
	back("link restored")

	must("power off", node.PowerOff)
	lost("power off")
	must("power on", node.PowerOn)
	back("power on")

	containerd, err := node.Daemon("containerd")
	if err != nil {
		t.Fatal(err)
	}
	must("kill containerd", containerd.Kill)
	must("start containerd", containerd.Start)
	back("containerd started")

	must("freeze containerd", containerd.Freeze)
	must("power off with a frozen containerd", node.PowerOff)
	lost("power off with a frozen containerd")
	must("power on", node.PowerOn)
	back("power on")

	for _, name := range c.Daemons() {
		d, err := c.Daemon(name)
		if err != nil {
			t.Fatal(err)
		}
		must("kill "+name, d.Kill)
		if d.Running(ctx) {
			t.Errorf("%s runs after it was killed", name)
		}
		begin := time.Now()
		must("start "+name, d.Start)
		t.Logf("%s serves again after %s", name, time.Since(begin).Round(100*time.Millisecond))
		if err := d.Start(ctx); err == nil {
			t.Errorf("%s could be started twice", name)
		}
	}
	within(t, 30*time.Second, "healthy at last", func() error { return c.Healthy(ctx) })
}

// wantEncrypted asks etcd what the API server has written.
func wantEncrypted(ctx context.Context, t *testing.T, c *cluster.Cluster) {
	t.Helper()
	etcdctl, err := c.Program(ctx, "etcdctl")
	if err != nil {
		t.Fatal(err)
	}
	caFile, certFile, keyFile := c.EtcdCredentials()
	for resource, prefix := range map[string]string{
		"configmaps": "k8s:enc:secretbox:v1:", "serviceaccounts": "k8s:enc:aesgcm:v1:", "namespaces": "k8s\x00",
	} {
		cmd := exec.CommandContext(ctx, etcdctl, "--endpoints", strings.Join(c.EtcdEndpoints(), ","), "--cacert", caFile, "--cert", certFile, "--key", keyFile,
			"get", "--prefix", "--limit=1", "--print-value-only", "/registry/"+resource+"/")
		if value, err := cmd.Output(); err != nil || !strings.HasPrefix(string(value), prefix) {
			t.Errorf("a value of %s begins with %.25q, %v; want %q", resource, value, err, prefix)
		}
	}
	if info, err := os.Stat(c.EncryptionConfig()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the keys are in a file of mode %v, %v", info.Mode(), err)
	}
}
