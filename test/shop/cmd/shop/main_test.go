package main

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be the shop, since signals can only be tested on a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("SHOP_TEST_BE_THE_SHOP") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func start(t *testing.T, args ...string) (cmd *exec.Cmd, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd = exec.CommandContext(ctx, os.Args[0], append(args, "-listen=127.0.0.1:0")...)
	cmd.Env = append(os.Environ(), "SHOP_TEST_BE_THE_SHOP=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	line, err := bufio.NewReader(stderr).ReadString('\n')
	_, addr, ok := strings.Cut(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("shop said %q (%v), want its address", line, err)
	}
	return cmd, "http://" + addr
}

func status(url string) int {
	resp, err := http.Get(url)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestTermDrainsBeforeTheEnd(t *testing.T) {
	cmd, url := start(t, "web", "-drain=2s")
	begin := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for status(url+"/readyz") == http.StatusOK {
		time.Sleep(10 * time.Millisecond)
	}
	if got := status(url + "/"); got != http.StatusOK {
		t.Errorf("while draining, / answered %d, want 200", got)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("shop ended with %v, want exit code 0", err)
	}
	if took := time.Since(begin); took < 2*time.Second {
		t.Errorf("shop ended after %s, before its 2 s of draining", took)
	}
}

func TestIgnoreTermLeavesOnlyKill(t *testing.T) {
	cmd, url := start(t, "worker", "--ignore-term", "-drain=0s")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if got := status(url + "/readyz"); got != http.StatusOK {
		t.Errorf("after SIGTERM, /readyz answered %d, want 200", got)
	}
}

func TestRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, args := range [][]string{{}, {"baker"}, {"worker", "-every=0s"}} {
		if err := run(t.Context(), args, t.Output()); err == nil {
			t.Errorf("shop %v started", args)
		}
	}
}
