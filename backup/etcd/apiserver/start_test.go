package apiserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gameday.dev/gameday/experiments"
)

// program writes a shell script that stands for a kube-apiserver.
func program(t *testing.T, script string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kube-apiserver")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestVersion(t *testing.T) {
	for script, want := range map[string]string{
		`echo Kubernetes v1.36.3`:          "v1.36.3",
		`echo Kubernetes v1.35.0-rc.1+abc`: "v1.35.0-rc.1+abc",
	} {
		if got, err := Version(t.Context(), program(t, script)); got != want || err != nil {
			t.Errorf("%s: %q, %v", script, got, err)
		}
	}
	for _, script := range []string{`echo etcd Version: 3.6.16`, `exit 1`, ``} {
		if got, err := Version(t.Context(), program(t, script)); err == nil {
			t.Errorf("%s: %q", script, got)
		}
	}
	if _, err := Version(t.Context(), "/nowhere/kube-apiserver"); err == nil {
		t.Error("nothing has a version")
	}
}

// Whose fault it is that nothing boots decides between failed and cannot tell.
func TestWhoIsToBlame(t *testing.T) {
	const fatal = `echo 'F1123 02:05:01.222423    8183 hooks.go:204] PostStartHook "rbac/bootstrap-roles" failed: no' >&2; exit 255`
	notExecutable := filepath.Join(t.TempDir(), "kube-apiserver")
	if err := os.WriteFile(notExecutable, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, scene := range map[string]struct {
		binary  string
		machine bool
		says    string
	}{
		"missing":         {"/nowhere/kube-apiserver", true, "no such file"},
		"not executable":  {notExecutable, true, "permission denied"},
		"a fatal hook":    {program(t, fatal), false, `its log says: PostStartHook "rbac/bootstrap-roles" failed: no`},
		"a panic":         {program(t, `echo 'panic: runtime error' >&2; exit 2`), false, "exited with code 2"},
		"a crash":         {program(t, `kill -SEGV $$`), false, "signal 11"},
		"killed":          {program(t, `kill -KILL $$`), true, "signal 9"},
		"told to end":     {program(t, `kill -TERM $$`), true, "signal 15"},
		"ended quietly":   {program(t, `exit 0`), true, "ended without an error"},
		"disk full":       {program(t, `echo 'E1123 02:05:01.222423    8183 x.go:1] write: no space left on device' >&2; exit 1`), true, "no space left"},
		"unknown flag":    {program(t, `echo 'Error: unknown flag: --x' >&2; exit 1`), true, "unknown flag"},
		"bad file":        {program(t, `echo 'E1123 02:05:01.222423    8183 run.go:72] "command failed" err="open x"' >&2; exit 1`), true, "command failed"},
		"never answering": {program(t, `exec /bin/sleep 60`), true, "did not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			dir := filepath.Join(t.TempDir(), "apiserver")
			server, err := Start(ctx, Config{At: experiments.Etcd{APIServer: scene.binary}, Dir: dir})
			if err == nil {
				server.Stop()
				t.Fatal("booted")
			}
			var failure *Failure
			if !errors.As(err, &failure) || failure.Machine != scene.machine || !strings.Contains(err.Error(), scene.says) {
				t.Errorf("machine %v: %v", failure.Machine, err)
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the directory is still there: %v", err)
			}
		})
	}
}

func TestTakenPortIsTriedAgain(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	taken := program(t, `echo x >>`+count+`; echo 'E1123 02:05:01.222423    8183 run.go:72] "command failed" err="failed to create listener: listen tcp 127.0.0.1:1: bind: address already in use"' >&2; exit 1`)
	_, err := Start(t.Context(), Config{At: experiments.Etcd{APIServer: taken}, Dir: filepath.Join(t.TempDir(), "apiserver")})
	var failure *Failure
	if !errors.As(err, &failure) || !failure.Machine || !errors.Is(err, errPortTaken) {
		t.Error(err)
	}
	if tried, _ := os.ReadFile(count); len(tried) != 2*ports {
		t.Errorf("tried %d times", len(tried)/2)
	}
}

func TestDirectoryMustBeNew(t *testing.T) {
	dir := t.TempDir()
	keep := filepath.Join(dir, "keep")
	if err := os.WriteFile(keep, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Config{Dir: dir}); err == nil {
		t.Error("started in a directory of others")
	}
	if _, err := os.Stat(keep); err != nil {
		t.Error(err)
	}
}

func TestCredentialsAreForTheirOwnerAlone(t *testing.T) {
	dir := t.TempDir()
	if _, err := makeCredentials(dir); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 4 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", file.Name(), info.Mode(), err)
		}
	}
}

func TestEgressIsRefusedAndCounted(t *testing.T) {
	dir := t.TempDir()
	file, e, err := refuseEgress(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	if text, err := os.ReadFile(file); err != nil || strings.Count(string(text), "udsName: egress.sock") != 2 {
		t.Errorf("%s %v", text, err)
	}
	for range 2 {
		conn, err := net.Dial("unix", filepath.Join(dir, egressSocket))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "CONNECT hook.shop.svc:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || response.StatusCode != http.StatusForbidden {
			t.Errorf("%v %v", response, err)
		}
		conn.Close()
	}
	if attempts := e.attempts(); attempts["hook.shop.svc:443"] != 2 || len(attempts) != 1 {
		t.Error(attempts)
	}
}

// Where no socket can be listened on, nobody is reached either.
func TestEgressWithAPathTooLong(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, e, err := refuseEgress(dir)
	if err != nil || e.listener != nil || len(e.attempts()) != 0 {
		t.Errorf("%v %v", e.listener, err)
	}
	e.close()
}
