package files

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// usual makes a small tree.
func usual(t testing.TB, source string) {
	write(t, filepath.Join(source, "a.txt"), "a")
	write(t, filepath.Join(source, "data", "one"), "one")
	write(t, filepath.Join(source, "data", "two"), "two")
	write(t, filepath.Join(source, "data", "old", "three"), "three")
	write(t, filepath.Join(source, "quiet", "four"), "four")
	do(t, os.Symlink("a.txt", filepath.Join(source, "link")), unix.Chmod(filepath.Join(source, "data", "two"), 0o4750),
		os.Chtimes(filepath.Join(source, "quiet"), time.Unix(1, 1), time.Unix(1, 1)))
	write(t, filepath.Join(source, "data.txt"), "sorts after what is in data")
}

func TestWhatIsFound(t *testing.T) {
	in := filepath.Join
	tests := map[string]struct {
		copy func(t *testing.T, copied string) // done to the copy
		live func(t *testing.T, source string) // done to the source since the backup
		use  func(t *testing.T, copied string) // done to the copy by its application
		want string
	}{
		"nothing": {},
		"a file is missing": {
			copy: func(t *testing.T, c string) { do(t, os.Remove(in(c, "data", "one"))) },
			want: "loss missing data/one",
		},
		"a directory is missing": {
			copy: func(t *testing.T, c string) { do(t, os.RemoveAll(in(c, "data"))) },
			want: "loss missing data and 4 below",
		},
		"an extra file": {
			copy: func(t *testing.T, c string) {
				write(t, in(c, "data", "new"), "")
				copyAttributes(t, in(c, "../../../uid-1", pluginEmptyDir, "data/data"), in(c, "data"))
			},
			want: "loss extra data/new",
		},
		"other content, same size": {
			copy: func(t *testing.T, c string) {
				write(t, in(c, "data", "one"), "eno")
				copyAttributes(t, in(c, "../../../uid-1", pluginEmptyDir, "data/data/one"), in(c, "data/one"))
			},
			want: "loss content data/one",
		},
		"cut short": {
			copy: func(t *testing.T, c string) { do(t, os.Truncate(in(c, "data", "old", "three"), 2)) },
			want: "loss content mtime data/old/three",
		},
		"setuid lost": {
			copy: func(t *testing.T, c string) { do(t, os.Chmod(in(c, "data", "two"), 0o750)) },
			want: "loss mode data/two",
		},
		"mode of a directory": {
			copy: func(t *testing.T, c string) { do(t, os.Chmod(in(c, "quiet"), 0o700)) },
			want: "loss mode quiet",
		},
		"time of a file": {
			copy: func(t *testing.T, c string) { do(t, os.Chtimes(in(c, "a.txt"), time.Now(), time.Now())) },
			want: "loss mtime a.txt",
		},
		"another target": {
			copy: func(t *testing.T, c string) {
				do(t, os.Remove(in(c, "link")), os.Symlink("b.txt", in(c, "link")))
			},
			want: "loss target mtime link",
		},
		"another type": {
			copy: func(t *testing.T, c string) { do(t, os.RemoveAll(in(c, "quiet"))); write(t, in(c, "quiet"), "") },
			want: "loss type quiet; loss missing quiet/four",
		},
		"changed since": {
			live: func(t *testing.T, s string) { write(t, in(s, "data", "one"), "longer by now") },
			want: "drift content mtime data/one",
		},
		"deleted since": {
			live: func(t *testing.T, s string) { do(t, os.Remove(in(s, "data", "one"))) },
			want: "drift extra data/one",
		},
		"deleted with its directory since": {
			live: func(t *testing.T, s string) { do(t, os.RemoveAll(in(s, "data"))) },
			want: "drift extra data and 4 below",
		},
		"made since": {
			live: func(t *testing.T, s string) { write(t, in(s, "data", "new"), "") },
			want: "drift missing data/new",
		},
		"made with its directory since": {
			live: func(t *testing.T, s string) { write(t, in(s, "more", "new"), "") },
			want: "drift missing more and 1 below",
		},
		"renamed directory since": {
			live: func(t *testing.T, s string) { do(t, os.Rename(in(s, "data"), in(s, "tada"))) },
			want: "drift extra data and 4 below; drift missing tada and 4 below",
		},
		"directories changed places since": {
			live: func(t *testing.T, s string) {
				do(t, os.Rename(in(s, "data"), in(s, "x")), os.Rename(in(s, "quiet"), in(s, "data")), os.Rename(in(s, "x"), in(s, "quiet")))
			},
			want: "drift missing data/four; drift extra data/old and 1 below; drift extra data/one; drift extra data/two; " +
				"drift extra quiet/four; drift missing quiet/old and 1 below; drift missing quiet/one; drift missing quiet/two",
		},
		"mode changed since": {
			live: func(t *testing.T, s string) { do(t, os.Chmod(in(s, "a.txt"), 0o600)) },
			want: "drift mode a.txt",
		},
		"written since in a directory that was not, and missing": {
			copy: func(t *testing.T, c string) { do(t, os.Remove(in(c, "quiet", "four"))) },
			live: func(t *testing.T, s string) { write(t, in(s, "quiet", "four"), "by now") },
			want: "loss missing quiet/four",
		},
		"a busy directory hides no old file that is missing": {
			copy: func(t *testing.T, c string) { do(t, os.Remove(in(c, "data", "one"))) },
			live: func(t *testing.T, s string) { write(t, in(s, "data", "new"), "") },
			want: "loss missing data/one; drift missing data/new",
		},
		"a busy directory that is missing hides no old file": {
			copy: func(t *testing.T, c string) { do(t, os.RemoveAll(in(c, "data"))) },
			live: func(t *testing.T, s string) { write(t, in(s, "data", "new"), ""); write(t, in(s, "top"), "") },
			want: "loss missing data/old and 1 below; loss missing data/one; loss missing data/two; drift missing data and 1 below; drift missing top",
		},
		"attributes changed since do not excuse other content": {
			copy: func(t *testing.T, c string) {
				write(t, in(c, "data", "one"), "eno")
				copyAttributes(t, in(c, "../../../uid-1", pluginEmptyDir, "data/data/one"), in(c, "data/one"))
			},
			live: func(t *testing.T, s string) {
				do(t, os.Chmod(in(s, "data", "one"), 0o600), os.Chmod(in(s, "data"), 0o700))
			},
			want: "loss content data/one; drift mode data; drift mode data/one",
		},
		"the restored application has written": {
			use: func(t *testing.T, c string) {
				write(t, in(c, "data", "one"), "mine")
				write(t, in(c, "data", "pid"), "7")
				do(t, os.Remove(in(c, "data", "two")))
			},
			want: "drift extra data/pid; unclear content mtime data/one; unclear missing data/two",
		},
		"the restored application does not excuse what it has not touched": {
			copy: func(t *testing.T, c string) { do(t, os.Remove(in(c, "quiet", "four")), os.Truncate(in(c, "a.txt"), 0)) },
			use:  func(t *testing.T, c string) { write(t, in(c, "data", "pid"), "7") },
			want: "loss content mtime a.txt; loss missing quiet/four; drift extra data/pid",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			volumes, source, restored, pair := pairOf(t)
			usual(t, source)
			copyTree(t, source, restored)
			if test.copy != nil {
				test.copy(t, restored)
			}
			backUp(&pair)
			if test.live != nil {
				test.live(t, source)
			}
			if test.use != nil {
				pair.UsedSince = pair.BackedUpAt
				test.use(t, restored)
			}
			result := compareDirectories(t, volumes, pair)
			if got := summary(result); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if test.want == "" && (result.Equal != 11 || result.InSource != result.InRestored || result.InSource.Files != 6) {
				t.Errorf("%+v", result.Tally)
			}
		})
	}
}

func TestWhatRulesLetPass(t *testing.T) {
	volumes, source, restored, pair := pairOf(t)
	usual(t, source)
	in := filepath.Join
	do(t, os.Mkdir(in(source, "lost+found"), 0o700))
	write(t, in(source, "cache", "CACHEDIR.TAG"), cacheSignature+"\n# mine")
	write(t, in(source, "cache", "A"), "again")
	write(t, in(source, "cache", "below", "b"), "again")
	write(t, in(source, "no-cache", "CACHEDIR.TAG"), "not the signature")
	do(t, unix.Mkfifo(in(source, "pipe"), 0o600), os.Link(in(source, "a.txt"), in(source, "a2.txt")))
	listener, err := net.Listen("unix", in(source, "socket"))
	do(t, err)
	defer listener.Close()
	sparse, err := os.Create(in(source, "sparse"))
	do(t, err, sparse.Truncate(1<<20), sparse.Close())

	copyTree(t, source, restored)
	do(t, os.RemoveAll(in(restored, "lost+found")), os.RemoveAll(in(restored, "cache")))
	do(t, os.Mkdir(in(restored, "cache"), 0o755))
	copyAttributes(t, in(source, "cache"), in(restored, "cache"))
	write(t, in(restored, ".velero", "restore-uid"), "")
	backUp(&pair)

	result := compareDirectories(t, volumes, pair)
	if got := summary(result); got != "" {
		t.Errorf("got %s", got)
	}
	want := map[Rule]int64{LostAndFound: 1, Marker: 2, FIFOs: 1, Sockets: 1, HardLinks: 2, Holes: 1, CacheDirectories: 4}
	for rule, n := range want {
		if result.Ignored[rule] != n {
			t.Errorf("%s: %d, want %d", rule, result.Ignored[rule], n)
		}
	}
	if len(result.Notes) != 1 || !strings.Contains(result.Notes[0], "cache has a CACHEDIR.TAG") {
		t.Errorf("got %q", result.Notes)
	}
	delete(result.Ignored, DirectoryTime) // as the clock has it
	delete(result.Ignored, CoarseTime)    // of the link, at the mercy of its nanoseconds
	if len(result.Ignored) != len(want) {
		t.Errorf("got %v", result.Ignored)
	}
}

func TestWhatRulesDoNotLetPass(t *testing.T) {
	in := filepath.Join
	tests := map[string]struct {
		source func(t *testing.T, s string)
		copy   func(t *testing.T, c string)
		want   string
	}{
		"what fsck has found": {
			source: func(t *testing.T, s string) { write(t, in(s, "lost+found", "#123"), "found by fsck") },
			copy:   func(t *testing.T, c string) { do(t, os.RemoveAll(in(c, "lost+found"))) },
			want:   "loss missing lost+found/#123",
		},
		"a volume that is a cache as a whole": {
			source: func(t *testing.T, s string) { write(t, in(s, cacheTag), cacheSignature); write(t, in(s, "a"), "a") },
			copy:   func(t *testing.T, c string) { do(t, os.Remove(in(c, cacheTag)), os.Remove(in(c, "a"))) },
			want:   "loss missing CACHEDIR.TAG; loss missing a",
		},
		"a cache that was backed up": {
			source: func(t *testing.T, s string) {
				write(t, in(s, "cache", cacheTag), cacheSignature)
				write(t, in(s, "cache", "a"), "a")
			},
			copy: func(t *testing.T, c string) { do(t, os.Remove(in(c, "cache", "a"))) },
			want: "loss missing cache/a",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			volumes, source, restored, pair := pairOf(t)
			test.source(t, source)
			copyTree(t, source, restored)
			test.copy(t, restored)
			backUp(&pair)
			if got := summary(compareDirectories(t, volumes, pair)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// A snapshot of the storage leaves nothing out, so no rule of kopia's holds for it.
func TestASnapshotHasEverything(t *testing.T) {
	in := filepath.Join
	for name, test := range map[string]struct {
		source func(t *testing.T, s string)
		copy   func(t *testing.T, c string)
		want   string
	}{
		"nothing": {source: func(*testing.T, string) {}, copy: func(*testing.T, string) {}},
		"a cache": {
			source: func(t *testing.T, s string) { write(t, in(s, "cache", cacheTag), cacheSignature) },
			copy:   func(t *testing.T, c string) { do(t, os.RemoveAll(in(c, "cache"))) },
			want:   "loss missing cache and 1 below",
		},
		"a pipe": {
			source: func(t *testing.T, s string) { do(t, unix.Mkfifo(in(s, "pipe"), 0o600)) },
			copy:   func(*testing.T, string) {}, // copyTree makes no pipes
			want:   "loss missing pipe",
		},
		"a second name": {
			source: func(t *testing.T, s string) { do(t, os.Link(in(s, "a.txt"), in(s, "b.txt"))) },
			copy:   func(*testing.T, string) {}, // copyTree makes two files
			want:   "loss links a.txt; loss links b.txt",
		},
		"the time of a directory": {
			source: func(*testing.T, string) {},
			copy:   func(t *testing.T, c string) { do(t, os.Chtimes(in(c, "quiet"), time.Unix(2, 2), time.Unix(2, 2))) },
			want:   "loss mtime quiet",
		},
	} {
		t.Run(name, func(t *testing.T) {
			volumes, source, restored, pair := pairOf(t)
			usual(t, source)
			test.source(t, source)
			do(t, os.Chtimes(source, time.Unix(1, 1), time.Unix(1, 1)))
			copyTree(t, source, restored)
			test.copy(t, restored)
			do(t, os.Chtimes(restored, time.Unix(1, 1), time.Unix(1, 1)))
			backUp(&pair)
			pair.Blocks = true
			result := compareDirectories(t, volumes, pair)
			if got := summary(result); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			delete(result.Ignored, CoarseTime)
			if len(result.Ignored) > 0 {
				t.Errorf("let pass: %v", result.Ignored)
			}
		})
	}
}

func TestAttributesAreCountedNotCompared(t *testing.T) {
	volumes, source, restored, pair := pairOf(t)
	write(t, filepath.Join(source, "a"), "a")
	if err := unix.Setxattr(filepath.Join(source, "a"), "user.gameday", []byte("x"), 0); err != nil {
		t.Skip("this file system has no extended attributes:", err)
	}
	copyTree(t, source, restored)
	backUp(&pair)
	result := compareDirectories(t, volumes, pair)
	if summary(result) != "" || result.Ignored[Attributes] != 1 {
		t.Errorf("got %s, %v", summary(result), result.Ignored)
	}
}

func TestNamesThatAreNoUTF8(t *testing.T) {
	volumes, source, restored, pair := pairOf(t)
	write(t, filepath.Join(source, "caf\xe9"), "latin 1")
	write(t, filepath.Join(source, "dir\xff", "new\nline"), "x")
	do(t, os.Symlink("to\xfe", filepath.Join(source, "link\x80")))
	copyTree(t, source, restored)
	do(t, os.Rename(filepath.Join(restored, "caf\xe9"), filepath.Join(restored, "caf\ufffd"))) // as JSON would have it
	write(t, filepath.Join(restored, "dir\xff", "new\nline"), "y")
	do(t, os.Chtimes(filepath.Join(restored, "dir\xff", "new\nline"), time.Unix(1, 1), time.Unix(1, 1)))
	backUp(&pair)
	result := compareDirectories(t, volumes, pair)
	want := `loss missing "caf\xe9"; loss extra caf` + "\ufffd" + `; loss content mtime "dir\xff/new\nline"`
	if got := summary(result); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(result.Notes) != 1 {
		t.Errorf("got %q", result.Notes)
	}
}

func TestExamplesAreFewAndCountsWhole(t *testing.T) {
	volumes, source, restored, pair := pairOf(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		write(t, filepath.Join(source, name), name)
	}
	backUp(&pair)
	result := PairResult{}
	exec := &local{volumes: volumes}
	err := mergeStreams(t.Context(), newStream(exec, pair.Source.Pod, pair.Source), newStream(exec, pair.Source.Pod, pair.Restored), newJudge(pair, 2, &result), func() {})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Differences[Loss]) != 2 || result.Different[Loss][Missing] != 4 || result.Of(Loss) != 4 || result.Of(Drift) != 0 {
		t.Errorf("%+v", result)
	}
	_ = restored
}
