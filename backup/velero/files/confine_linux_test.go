package files

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// asConfined makes the test binary one that has confined itself and tries to get out.
const asConfined = "GAMEDAY_TEST_CONFINED"

// tryToWrite does everything to a directory that a reader must not.
func tryToWrite(dir string) int {
	if err := confine(); err != nil {
		fmt.Println(err)
		return 1
	}
	file := filepath.Join(dir, "file")
	open := func(flags int) error {
		f, err := os.OpenFile(file, flags, 0o600)
		if err == nil {
			f.Close()
		}
		return err
	}
	tries := map[string]func() error{
		"write":    func() error { return open(os.O_WRONLY) },
		"append":   func() error { return open(os.O_RDWR | os.O_APPEND) },
		"truncate": func() error { return open(os.O_RDONLY | os.O_TRUNC) },
		"create":   func() error { return os.WriteFile(file+"2", nil, 0o600) },
		"tmpfile":  func() error { _, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY, 0o600); return err },
		"mkdir":    func() error { return os.Mkdir(filepath.Join(dir, "d"), 0o700) },
		"remove":   func() error { return os.Remove(file) },
		"rename":   func() error { return os.Rename(file, file+"2") },
		"link":     func() error { return os.Link(file, file+"2") },
		"symlink":  func() error { return os.Symlink(file, file+"2") },
		"fifo":     func() error { return unix.Mkfifo(file+"2", 0o600) },
		"chmod":    func() error { return os.Chmod(file, 0o777) },
		"chown":    func() error { return os.Chown(file, os.Getuid(), os.Getgid()) },
		"lchown":   func() error { return os.Lchown(file, os.Getuid(), os.Getgid()) },
		"times":    func() error { return os.Chtimes(file, time.Now(), time.Now()) },
		"xattr":    func() error { return unix.Setxattr(file, "user.x", []byte("x"), 0) },
		"cut":      func() error { return os.Truncate(file, 0) },
		"run":      func() error { return exec.Command("/proc/self/exe").Run() },
	}
	code := 0
	for name, try := range tries {
		// From whatever thread: the filter is the process's.
		failed := make(chan error)
		go func() { failed <- try() }()
		if err := <-failed; !errors.Is(err, unix.EROFS) {
			fmt.Println(name, err)
			code = 1
		}
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "content" {
		fmt.Println("read", err)
		code = 1
	}
	return code
}

func TestAReaderCannotWrite(t *testing.T) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("a reader is not confined on " + runtime.GOARCH)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "content")
	command := exec.Command("/proc/self/exe")
	command.Env = append(os.Environ(), asConfined+"="+dir)
	said, err := command.CombinedOutput()
	if strings.Contains(string(said), "confining the reader: "+unix.ENOSYS.Error()) {
		t.Skip("this kernel has no filters")
	}
	if err != nil {
		t.Errorf("%v: %s", err, said)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}
