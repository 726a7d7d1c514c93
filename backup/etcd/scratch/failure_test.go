package scratch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func failed(ctx context.Context, t *testing.T, program []string, path string) *Failure {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "member")
	member, err := Start(ctx, program, path, dir, nil)
	if err == nil {
		member.Stop()
		t.Fatal("it serves")
	}
	var failure *Failure
	if !errors.As(err, &failure) {
		t.Fatalf("%v is no Failure", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is left: %v", dir, err)
	}
	return failure
}

func TestADamagedSnapshotIsItsOwnFault(t *testing.T) {
	s := snapshotOf(t)
	flipped := s.clone()
	flipped[len(flipped)/2] ^= 1
	tests := map[string]struct {
		data []byte
		want string
	}{
		"flipped":          {flipped, "expected sha256"},
		"without trailer":  {body(s.data), "missing hash"},
		"cut in a page":    {s.data[:len(s.data)/2], ""},
		"cut to a trailer": {s.data[:len(s.data)/2&^511+32], "expected sha256"},
		"empty":            {nil, "0 bytes"},
		"31 bytes":         {s.data[:31], "31 bytes"},
		"32 bytes":         {s.data[:32], ""},
		"zeros":            {make([]byte, 65536), "missing hash"},
		"sealed zeros":     {seal(make([]byte, 65536+32)), "invalid database"},
		"sealed text":      {seal([]byte(strings.Repeat("no database ", 2048)[:16384+32])), "invalid database"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			failure := failed(t.Context(), t, helperProgram(), write(t, test.data))
			if failure.Machine || failure.Stage != StageRestore || !strings.Contains(failure.Error(), test.want) {
				t.Errorf("machine %t: %v, want %q", failure.Machine, failure, test.want)
			}
		})
	}
}

// What the trailer does not tell makes etcd crash, or goes unnoticed by it. In no
// case is this machine to blame.
func TestHiddenDamageIsNeverThisMachines(t *testing.T) {
	s := snapshotOf(t)
	for region, flips := range choose(regions(t, body(s.data)), 2) {
		for _, f := range flips {
			broken := s.clone()
			broken[f.at] ^= f.mask
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			dir := filepath.Join(t.TempDir(), "member")
			member, err := Start(ctx, helperProgram(), write(t, seal(broken)), dir, nil)
			var failure *Failure
			switch {
			case err == nil:
				member.Stop()
				t.Logf("%s, byte %d: etcd serves it", region, f.at)
			case errors.As(err, &failure) && !failure.Machine:
				t.Logf("%s, byte %d: %v", region, f.at, err)
			default:
				t.Errorf("%s, byte %d: %v", region, f.at, err)
			}
			cancel()
		}
	}
}

func TestWhatThisMachineCannotDo(t *testing.T) {
	path := write(t, snapshotOf(t).data)
	cancelled, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if failure := failed(cancelled, t, helperProgram(), path); !failure.Machine || !errors.Is(failure, why) {
		t.Errorf("cancelled: machine %t, %v", failure.Machine, failure)
	}
	for name, program := range map[string][]string{
		"no such program":     {"/no/such/program"},
		"another program":     {"false"},
		"killed":              {"sh", "-c", "kill -9 $$"},
		"out of memory":       {"sh", "-c", "echo 'fatal error: runtime: out of memory' >&2; exit 2"},
		"disk full in etcd":   {"sh", "-c", `echo '{"level":"fatal","msg":"failed to save","error":"write x: no space left on device"}' >&2; exit 1`},
		"says nothing":        {"sh", "-c", "exit 2"},
		"ends without a word": {"true"},
	} {
		if failure := failed(t.Context(), t, program, path); !failure.Machine {
			t.Errorf("%s: %v is held against the snapshot", name, failure)
		}
	}
	for name, path := range map[string]string{"no such file": path + "x", "a directory": filepath.Dir(path)} {
		if failure := failed(t.Context(), t, helperProgram(), path); !failure.Machine {
			t.Errorf("%s: %v is held against the snapshot", name, failure)
		}
	}
}

func TestAFullDiskIsThisMachines(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make a small disk")
	}
	path := write(t, snapshotOf(t).data)
	for name, size := range map[string]string{"in the copy": "1m", "after the copy": "5m", "in the log": "20m"} {
		t.Run(name, func(t *testing.T) {
			disk := t.TempDir()
			if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size="+size); err != nil {
				t.Skipf("making a small disk: %v", err)
			}
			defer func() { _ = syscall.Unmount(disk, 0) }()
			_, err := Start(t.Context(), helperProgram(), path, filepath.Join(disk, "member"), nil)
			var failure *Failure
			if !errors.As(err, &failure) || !failure.Machine || !strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
				t.Errorf("got %v", err)
			}
			if left, _ := os.ReadDir(disk); len(left) > 0 {
				t.Errorf("%v is left on a full disk", left)
			}
		})
	}
}

func TestADirectoryThatIsThereIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	keep := filepath.Join(dir, "keep")
	if err := os.WriteFile(keep, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var failure *Failure
	if _, err := Start(t.Context(), helperProgram(), write(t, nil), dir, nil); !errors.As(err, &failure) || !failure.Machine {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(keep); err != nil {
		t.Error(err)
	}
}
