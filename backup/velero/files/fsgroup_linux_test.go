package files

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// chownAll is what a kubelet does for an fsGroup when a pod starts: the ctime of
// everything is new after that, and nothing else.
func chownAll(t *testing.T, dir string) {
	t.Helper()
	do(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var stat unix.Stat_t
		do(t, unix.Lstat(path, &stat), os.Lchown(path, -1, os.Getgid()))
		if stat.Mode&unix.S_IFMT == unix.S_IFLNK {
			return nil
		}
		return unix.Chmod(path, stat.Mode&0o7777) // chown takes setuid away
	}))
}

// A file with times of its own, as an archive has them.
func unpack(t *testing.T, path string) {
	t.Helper()
	write(t, path, "unpacked")
	long := time.Unix(1_000_000_000, 0)
	do(t, os.Chtimes(path, long, long))
}

func TestWhatExcusesAndWhatDoesNot(t *testing.T) {
	in := filepath.Join
	tests := map[string]struct {
		before func(t *testing.T, s string) // done to the source before it is copied
		copy   func(t *testing.T, c string)
		live   func(t *testing.T, s string)
		want   string
	}{
		"an fsGroup was applied": {
			live: chownAll,
		},
		"an fsGroup excuses no missing file": {
			copy: func(t *testing.T, c string) { do(t, os.Remove(in(c, "data", "one"))) },
			live: chownAll,
			want: "loss missing data/one",
		},
		"an fsGroup excuses no other content": {
			copy: func(t *testing.T, c string) {
				write(t, in(c, "data", "one"), "eno")
				copyAttributes(t, in(c, "../../../uid-1", pluginEmptyDir, "data/data/one"), in(c, "data/one"))
			},
			live: chownAll,
			want: "loss content data/one",
		},
		"an fsGroup and a busy root excuse no content of a missing directory": {
			copy: func(t *testing.T, c string) { do(t, os.RemoveAll(in(c, "data"))) },
			live: func(t *testing.T, s string) { write(t, in(s, "pid"), "7"); chownAll(t, s) },
			want: "loss missing data/old and 1 below; loss missing data/one; loss missing data/two; drift missing data; drift missing pid",
		},
		"an fsGroup and a busy root excuse no content below": {
			copy: func(t *testing.T, c string) {
				write(t, in(c, "data", "one"), "eno")
				copyAttributes(t, in(c, "../../../uid-1", pluginEmptyDir, "data/data/one"), in(c, "data/one"))
				do(t, os.Remove(in(c, "data", "two")))
			},
			live: func(t *testing.T, s string) { write(t, in(s, "pid"), "7"); chownAll(t, s) },
			want: "loss content data/one; loss missing data/two; drift missing pid",
		},
		"an fsGroup, and the copy is of another state": {
			copy: func(t *testing.T, c string) {
				write(t, in(c, "data", "one"), "older")
				do(t, os.Chtimes(in(c, "data", "one"), time.Unix(9, 0), time.Unix(9, 0)))
			},
			live: chownAll,
			want: "drift mtime data/one; unclear content data/one",
		},
		"logs were rotated": {
			before: func(t *testing.T, s string) {
				write(t, in(s, "log", "app.log"), "0")
				write(t, in(s, "log", "app.log.1"), "1")
				write(t, in(s, "log", "app.log.2"), "2")
				for i, name := range []string{"app.log", "app.log.1", "app.log.2"} {
					do(t, os.Chtimes(in(s, "log", name), time.Unix(9-int64(i), 0), time.Unix(9-int64(i), 0)))
				}
			},
			live: func(t *testing.T, s string) {
				do(t, os.Rename(in(s, "log", "app.log.2"), in(s, "log", "app.log.3")), os.Rename(in(s, "log", "app.log.1"), in(s, "log", "app.log.2")),
					os.Rename(in(s, "log", "app.log"), in(s, "log", "app.log.1")))
				write(t, in(s, "log", "app.log"), "new")
			},
			want: "drift content mtime log/app.log; drift content mtime log/app.log.1; drift content mtime log/app.log.2; drift missing log/app.log.3",
		},
		"a symbolic link was replaced": {
			live: func(t *testing.T, s string) {
				do(t, os.Symlink("b.txt", in(s, "tmp")), os.Rename(in(s, "tmp"), in(s, "link")))
			},
			want: "drift target mtime link",
		},
		"an archive was unpacked": {
			live: func(t *testing.T, s string) {
				unpack(t, in(s, "new", "below", "f"))
				unpack(t, in(s, "quiet", "g"))
				long := time.Unix(1_000_000_000, 0)
				do(t, os.Chtimes(in(s, "new", "below"), long, long), os.Chtimes(in(s, "new"), long, long), os.Chtimes(in(s, "quiet"), long, long))
			},
			want: "drift missing new and 2 below; drift missing quiet/g",
		},
		"a directory was renamed and then written to": {
			live: func(t *testing.T, s string) {
				do(t, os.Rename(in(s, "data"), in(s, "tada")))
				write(t, in(s, "tada", "new"), "")
			},
			// What is old in it can't be told from what a busy directory has lost.
			want: "loss missing tada/old and 1 below; loss missing tada/one; loss missing tada/two; drift extra data and 4 below; drift missing tada and 1 below",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			volumes, source, restored, pair := pairOf(t)
			usual(t, source)
			if test.before != nil {
				test.before(t, source)
			}
			copyTree(t, source, restored)
			if test.copy != nil {
				test.copy(t, restored)
			}
			backUp(&pair)
			if test.live != nil {
				test.live(t, source)
			}
			if got := summary(compareDirectories(t, volumes, pair)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// The kubelet of a restored pod gives what is in its volume to the pod's fsGroup, with
// modes to match. That is no loss; any other mode or owner is.
func TestTheFSGroupOfTheCopy(t *testing.T) {
	in := filepath.Join
	opened := func(t *testing.T, c string) {
		do(t, filepath.WalkDir(c, func(path string, _ fs.DirEntry, err error) error {
			var stat unix.Stat_t
			do(t, err, unix.Lstat(path, &stat))
			switch stat.Mode & unix.S_IFMT {
			case unix.S_IFLNK:
				return nil
			case unix.S_IFDIR:
				return unix.Chmod(path, stat.Mode&0o7777|0o2770)
			default:
				return unix.Chmod(path, stat.Mode&0o7777|0o660)
			}
		}))
	}
	group, other := int64(os.Getgid()), int64(os.Getgid()+1)
	for name, test := range map[string]struct {
		group *int64
		copy  func(t *testing.T, c string)
		want  string
		rules int64
	}{
		"its own":      {&group, opened, "", 11},
		"one more bit": {&group, func(t *testing.T, c string) { opened(t, c); do(t, os.Chmod(in(c, "a.txt"), 0o666)) }, "loss mode a.txt", 10},
		"one bit less": {&group, func(t *testing.T, c string) { opened(t, c); do(t, os.Chmod(in(c, "a.txt"), 0o640)) }, "loss mode a.txt", 10},
		"read-only":    {&group, func(t *testing.T, c string) { do(t, os.Chmod(in(c, "closed"), 0o640)) }, "", 1},
		"another owner": {&group, func(t *testing.T, c string) {
			if os.Getuid() != 0 {
				t.Skip("only root gives files away")
			}
			opened(t, c)
			do(t, os.Lchown(in(c, "a.txt"), 4711, -1))
		}, "loss mode owner a.txt", 10},
		"another's group": {&other, func(t *testing.T, c string) { do(t, os.Chmod(in(c, "a.txt"), 0o664)) }, "loss mode a.txt", 0},
		"without one":     {nil, func(t *testing.T, c string) { do(t, os.Chmod(in(c, "a.txt"), 0o664)) }, "loss mode a.txt", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			volumes, source, restored, pair := pairOf(t)
			usual(t, source)
			write(t, in(source, "closed"), "")
			do(t, os.Chmod(in(source, "closed"), 0o600))
			copyTree(t, source, restored)
			test.copy(t, restored)
			backUp(&pair)
			pair.FSGroup, pair.Blocks = test.group, true
			result := compareDirectories(t, volumes, pair)
			if got := summary(result); got != test.want || result.Ignored[FSGroup] != test.rules {
				t.Errorf("got %s, and %d by rule; want %s, and %d", got, result.Ignored[FSGroup], test.want, test.rules)
			}
		})
	}
}
