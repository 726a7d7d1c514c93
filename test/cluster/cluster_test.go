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
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/test/cluster"
)

// needMachine skips a test of real nodes where there can be none.
func needMachine(t *testing.T) {
	t.Helper()
	switch {
	case testing.Short():
		t.Skip("skipped: it brings up real clusters, and -short was given")
	case runtime.GOOS != "linux":
		t.Skipf("skipped: real nodes need linux, this is %s", runtime.GOOS)
	case os.Geteuid() != 0:
		t.Skipf("skipped: real nodes need root, this is user id %d", os.Geteuid())
	}
}

// up brings a cluster up and takes it down when the test ends.
func up(ctx context.Context, t *testing.T, o cluster.Options) *cluster.Cluster {
	t.Helper()
	o.Progress = t.Output()
	// Also before Up: it may fail in a way that leaves something.
	t.Cleanup(func() { down(t, o.Name) })
	c, err := cluster.Up(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func down(t *testing.T, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := cluster.Down(ctx, name, t.Output()); err != nil {
		t.Error(err)
	}
}

// within calls f until it succeeds and returns how long that took.
func within(t *testing.T, patience time.Duration, what string, f func() error) time.Duration {
	t.Helper()
	begin := time.Now()
	for {
		err := f()
		took := time.Since(begin).Round(100 * time.Millisecond)
		if err == nil {
			t.Logf("%s: after %s", what, took)
			return took
		}
		if took > patience {
			t.Fatalf("%s: not after %s: %v", what, took, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func readyStatus(ctx context.Context, client kubernetes.Interface, node string) (corev1.ConditionStatus, error) {
	n, err := client.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	for _, condition := range n.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status, nil
		}
	}
	return "", errors.New("it has no Ready condition yet")
}

func wantReady(ctx context.Context, client kubernetes.Interface, node string, want bool) func() error {
	return func() error {
		status, err := readyStatus(ctx, client, node)
		if err == nil && (status == corev1.ConditionTrue) != want {
			err = fmt.Errorf("node %s is Ready=%s", node, status)
		}
		return err
	}
}

// TestTwoClustersSideBySide brings two up at once, resolves a service name in
// each, and sees that taking one down leaves the other alone.
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
			clusters[i], err = cluster.Up(ctx, cluster.Options{Name: name, Nodes: 2, Monitoring: true, Shop: true, Progress: t.Output()})
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
	for _, c := range clusters {
		wantDNS(ctx, t, c)
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
	down(t, names[1])
	wantNothingLeft(t, clusters[1])
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
	within(t, 5*time.Second, c.Name+": web resolves", func() error {
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
	} {
		t.Run(fmt.Sprintf("%s+%s", strings.Trim(moment.after, ":"), moment.wait), func(t *testing.T) {
			cmd := exec.Command(command, "up", "--name", name, "--nodes", "2", "--monitoring", "--shop")
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

// wantNothingLeft looks for what a cluster leaves: files, processes that name
// its directory, cgroups, links, routes, mounts and network namespaces.
func wantNothingLeft(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	if _, err := os.Stat(c.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state directory is left: %v", err)
	}
	groups, _ := filepath.Glob(fmt.Sprintf("/sys/fs/cgroup/gameday/%d-*", c.Slot))
	more, _ := filepath.Glob(fmt.Sprintf("/sys/fs/cgroup/*/gameday/%d-*", c.Slot))
	if groups = append(groups, more...); len(groups) > 0 {
		t.Errorf("cgroups are left: %v", groups)
	}
	links, _ := filepath.Glob(fmt.Sprintf("/sys/class/net/gd%d*", c.Slot))
	for _, link := range links {
		rest := strings.TrimPrefix(filepath.Base(link), fmt.Sprintf("gd%d", c.Slot))
		if rest == "" || rest[0] == 'n' {
			t.Errorf("link %s is left", link)
		}
	}
	if routes, err := exec.Command("ip", "route", "show", "table", "all").Output(); err != nil {
		t.Error(err)
	} else if strings.Contains(string(routes), fmt.Sprintf("172.30.%d.", c.Slot)) {
		t.Errorf("routes are left:\n%s", routes)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Error(err)
	}
	if strings.Contains(string(mounts), c.Dir()) {
		t.Error("mounts are left")
	}
	processes, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range processes {
		text, _ := os.ReadFile(file)
		if bytes.Contains(text, []byte(c.Dir()+"/")) {
			t.Errorf("a process is left: %s: %s", file, bytes.ReplaceAll(text, []byte{0}, []byte{' '}))
		}
	}
	// Pods' namespaces have names in their node only; one that shows here has leaked.
	if names, _ := filepath.Glob("/run/netns/cni-*"); len(names) > 0 {
		t.Errorf("network namespaces are left: %v", names)
	}
}

// TestFaults breaks a cluster in every way it can be broken and mends it.
func TestFaults(t *testing.T) {
	needMachine(t)
	ctx := t.Context()
	up(ctx, t, cluster.Options{Name: "test-faults", Nodes: 2, Etcd: 3, Monitoring: true})
	// From here on as another process would do it.
	c, err := cluster.Open("test-faults")
	if err != nil {
		t.Fatal(err)
	}
	client, err := c.Client()
	if err != nil {
		t.Fatal(err)
	}
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
