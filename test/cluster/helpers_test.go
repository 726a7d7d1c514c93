package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
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
	if runtime.GOOS != "linux" {
		return
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
