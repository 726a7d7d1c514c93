package scratch

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// The test binary is also the program that tests start, told by its first argument.
const (
	asHelper    = "as-helper"
	asReference = "as-reference"
	asParent    = "as-parent"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case asHelper:
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
			code := Main(ctx, os.Args[2:], os.Stdin, os.Stdout, os.Stderr)
			stop()
			os.Exit(code)
		case asReference:
			os.Exit(reference(os.Args[2], os.Stdin, os.Stdout))
		case asParent:
			os.Exit(parent(os.Args[2], os.Args[3]))
		}
	}
	os.Exit(m.Run())
}

// helperProgram is what Inspect and Start run.
func helperProgram() []string { return []string{os.Args[0], asHelper} }

// parent is a process with a member, which waits to be killed.
func parent(path, dir string) int {
	member, err := Start(context.Background(), helperProgram(), path, dir, nil)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(member.helper.Pid(), member.Endpoint)
	select {}
}

// write puts a snapshot into a file.
func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "snapshot.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
