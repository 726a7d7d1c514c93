package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gameday.dev/gameday/internal/kube"
)

// local runs the helper in this process where a cluster would run it in a reader:
// what a pod has below /volumes is below a directory here.
type local struct {
	volumes string
	// breaks, if not nil, may stand between the helper and its reader.
	breaks func(call int, stdout io.Writer) io.Writer
	calls  atomicCounter
}

func (l *local) Exec(ctx context.Context, command kube.Command) error {
	args := append([]string(nil), command.Command[2:]...)
	for i, arg := range args {
		args[i] = strings.Replace(arg, volumesMount, l.volumes, 1)
	}
	stdout := command.Stdout
	if l.breaks != nil {
		stdout = l.breaks(l.calls.next(), stdout)
	}
	ended := make(chan int, 1)
	go func() { ended <- help(args, stdout, command.Stderr, func() error { return nil }) }()
	select {
	case code := <-ended:
		if code == 0 {
			return nil
		}
		var broken *brokenWriter
		if b, ok := stdout.(*brokenWriter); ok {
			broken = b
		}
		if broken != nil && broken.broken.Load() {
			return errors.New("the connection broke")
		}
		return &kube.ExitError{Command: command.Command, Code: code}
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pairOf makes a source and a copy below one directory, as a node has them.
func pairOf(t testing.TB) (volumes, source, restored string, pair Pair) {
	t.Helper()
	volumes = t.TempDir()
	pair = Pair{
		Source:   Volume{Pod: kube.PodRef{Namespace: "shop", Name: "db-0", UID: "uid-1"}, Node: "n1", Name: "data"},
		Restored: Volume{Pod: kube.PodRef{Namespace: "shop-drill", Name: "db-0", UID: "uid-2"}, Node: "n2", Name: "data"},
	}
	source = filepath.Join(volumes, "uid-1", pluginEmptyDir, "data")
	restored = filepath.Join(volumes, "uid-2", pluginEmptyDir, "data")
	for _, path := range []string{source, restored} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return volumes, source, restored, pair
}

// backUp is the moment of the backup: what was done before is in it, what comes is not.
func backUp(pair *Pair) {
	time.Sleep(time.Duration(2 * tick))
	pair.BackedUpAt = time.Now()
	time.Sleep(time.Duration(2 * tick))
}

func compareDirectories(t testing.TB, volumes string, pair Pair) PairResult {
	t.Helper()
	result := PairResult{}
	exec := &local{volumes: volumes}
	err := mergeStreams(t.Context(), newStream(exec, kube.PodRef{}, pair.Source), newStream(exec, kube.PodRef{}, pair.Restored),
		newJudge(pair, 20, &result), func() {})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// copyTree copies as kopia restores: content, mode, owner, times; no attributes, no
// hard links, no sockets, pipes or devices.
func copyTree(t testing.TB, from, to string) {
	t.Helper()
	var directories []string
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(from, path)
		target := filepath.Join(to, name)
		switch d.Type() {
		case fs.ModeDir:
			directories = append(directories, path)
			if err := os.Mkdir(target, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			return nil
		case fs.ModeSymlink:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			if err := os.Symlink(link, target); err != nil {
				return err
			}
		case 0:
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(target, content, 0o600); err != nil {
				return err
			}
		default:
			return nil
		}
		copyAttributes(t, path, target)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := len(directories) - 1; i >= 0; i-- {
		name, _ := filepath.Rel(from, directories[i])
		copyAttributes(t, directories[i], filepath.Join(to, name))
	}
}

func copyAttributes(t testing.TB, from, to string) {
	t.Helper()
	var stat unix.Stat_t
	if err := unix.Lstat(from, &stat); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := unix.Lchown(to, int(stat.Uid), int(stat.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	if stat.Mode&unix.S_IFMT == unix.S_IFLNK {
		times := []unix.Timeval{unix.NsecToTimeval(stat.Mtim.Nano()), unix.NsecToTimeval(stat.Mtim.Nano())}
		if err := unix.Lutimes(to, times); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := unix.Chmod(to, stat.Mode&0o7777); err != nil {
		t.Fatal(err)
	}
	times := []unix.Timespec{stat.Mtim, stat.Mtim}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, to, times, 0); err != nil {
		t.Fatal(err)
	}
}

// do runs steps that must not fail.
func do(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path, content string) {
	t.Helper()
	do(t, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644))
}

// readAll is what a reader prints of a directory.
func readAll(t testing.TB, path, after string, limits limits) (entries, again []*entry) {
	t.Helper()
	fd, err := openDirectory(unix.AT_FDCWD, path)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := newPrinter(&out).print(t.Context(), fd, begin{Version: formatVersion}, after, limits); err != nil {
		t.Fatal(err)
	}
	for data := range bytes.Lines(out.Bytes()) {
		l, err := decode(bytes.TrimSpace(data))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case l.Entry != nil:
			entries = append(entries, l.Entry)
		case l.Again != nil:
			again = append(again, l.Again)
		}
	}
	return entries, again
}
