package cluster

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeKind writes down how it is called, and the node config it is given.
// There is a cluster "taken" already, and "slow" ones take long to make; no
// other ever comes up.
const fakeKind = `#!/bin/sh
echo "$*" >>"$0.calls"
case "$1 $2" in
"get clusters") echo taken ;;
"create cluster")
	cat "$6" >>"$0.calls"
	if [ "$4" = slow ]; then exec sleep 60; fi
	echo no room >&2
	exit 1 ;;
esac
`

// withFakeKind is a provider and what it has called so far.
func withFakeKind(t *testing.T, name string, env map[string]string) (p Provider, calls func() string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "kind")
	if err := os.WriteFile(program, []byte(fakeKind), 0o755); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string { return map[string]string{"CLUSTER": "kind"}[name] + env[name] }
	p, err := fromEnvironment(Options{Name: name}, getenv, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	p.WithPath(program)
	return p, func() string {
		text, _ := os.ReadFile(program + ".calls")
		return string(text)
	}
}

func TestKindIsGivenNoMoreThanItNeeds(t *testing.T) {
	for _, test := range []struct {
		name    string
		env     map[string]string
		image   string
		workers int
	}{
		{"its own image", nil, "", 3},
		{"another image", map[string]string{"KIND_IMAGE": "node:v1", "NODES": "5"}, "node:v1", 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			p, calls := withFakeKind(t, "e2e", test.env)
			if _, err := p.Create(t.Context()); err == nil || !strings.Contains(err.Error(), "no room") {
				t.Errorf("a kind that fails: %v", err)
			}
			kubeconfig := p.GetKubeconfig()
			if err := p.Destroy(t.Context()); err != nil {
				t.Error(err)
			}
			got := calls()
			if _, image, _ := strings.Cut(got, "--image "); !strings.HasPrefix(image, test.image) || (test.image == "") != (image == "") {
				t.Errorf("want image %q:\n%s", test.image, got)
			}
			if strings.Count(got, "role: control-plane\n") != 1 || strings.Count(got, "role: worker\n") != test.workers {
				t.Errorf("want 1 control-plane node and %d workers:\n%s", test.workers, got)
			}
			if strings.Count(got, "--kubeconfig "+kubeconfig) != 2 { // of create and of delete
				t.Errorf("the user's own kubeconfig would be written:\n%s", got)
			}
			if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
				t.Errorf("files are left: %v", left)
			}
		})
	}
}

// Whose cluster it is, nobody knows: it is neither used nor removed.
func TestKindLeavesTheClusterOfOthersAlone(t *testing.T) {
	p, calls := withFakeKind(t, "taken", nil)
	if _, err := p.Create(t.Context()); err == nil || !strings.Contains(err.Error(), "kind cluster taken already") {
		t.Errorf("a name that is taken: %v", err)
	}
	if err := p.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
	if got := calls(); got != "get clusters\n" {
		t.Errorf("more was done than asked for clusters:\n%s", got)
	}
}

// A suite that is interrupted destroys what another goroutine still makes.
func TestKindIsNotMadeAfterItIsDestroyed(t *testing.T) {
	p, calls := withFakeKind(t, "slow", nil)
	created := make(chan error)
	go func() {
		_, err := p.Create(context.WithoutCancel(t.Context()))
		created <- err
	}()
	for !strings.Contains(calls(), "create cluster") {
		time.Sleep(10 * time.Millisecond)
	}
	if err := p.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-created; err == nil {
		t.Error("Create went on")
	}
	if got := strings.TrimSpace(calls()); !strings.Contains(got[strings.LastIndex(got, "\n"):], "delete cluster --name slow") {
		t.Errorf("the last thing done must be the removal:\n%s", got)
	}
}
