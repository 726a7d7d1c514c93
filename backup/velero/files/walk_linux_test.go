package files

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func usualForTests() limits { return usualLimits(2) }

// tight makes every limit felt.
func tight() limits { return limits{names: 3, held: 5, open: 2, workers: 3, queue: 2} }

func paths(entries []*entry) []string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Path)
	}
	return all
}

// grow makes a random tree and returns its paths, in the order of a walk.
func grow(t testing.TB, random *rand.Rand, in string, most int) []string {
	t.Helper()
	alphabet := []string{"a", "b", "a.txt", "a-", "A", "\xff", "\x01", "é", "z", "0", " ", "a b"}
	all, directories := []string{root}, []string{""}
	for range most {
		at := directories[random.IntN(len(directories))]
		name := alphabet[random.IntN(len(alphabet))]
		if random.IntN(2) == 0 {
			name += alphabet[random.IntN(len(alphabet))]
		}
		path := filepath.Join(at, name)
		if slices.Contains(all, path) {
			continue
		}
		all = append(all, path)
		switch full := filepath.Join(in, path); random.IntN(6) {
		case 0, 1:
			do(t, os.Mkdir(full, 0o755))
			directories = append(directories, path)
		case 2:
			do(t, os.Symlink(name, full))
		default:
			do(t, os.WriteFile(full, []byte(strings.Repeat(path, random.IntN(50))), 0o644))
		}
	}
	slices.SortFunc(all, comparePaths)
	return all
}

func TestTheOrderIsThatOfComparePathsWhateverTheLimits(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		dir := t.TempDir()
		want := grow(t, random, dir, 150)
		for name, limits := range map[string]limits{"usual": usualForTests(), "tight": tight()} {
			entries, again := readAll(t, dir, "", limits)
			if got := paths(entries); !slices.Equal(got, want) {
				t.Fatalf("seed %d, %s limits:\ngot  %q\nwant %q", seed, name, got, want)
			}
			if len(again) > 0 {
				t.Errorf("seed %d, %s limits: told again: %s", seed, name, again[0].Path)
			}
		}
	}
}

func TestAWalkGoesOnBehindAnyPath(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	dir := t.TempDir()
	all := grow(t, random, dir, 60)
	for _, limits := range []limits{usualForTests(), tight()} {
		for i, after := range all {
			entries, again := readAll(t, dir, after, limits)
			if got := paths(entries); !slices.Equal(got, all[i+1:]) {
				t.Fatalf("behind %q: got %q", after, got)
			}
			for _, e := range again {
				if !within(after, e.Path) || e.Type != Directory {
					t.Errorf("behind %q: told again of %q", after, e.Path)
				}
			}
			if len(again) == 0 {
				t.Errorf("behind %q: the root was not told again", after)
			}
		}
		for _, gone := range []string{"a/not/there", "zz", "a.txt", "\x01\x01"} {
			entries, _ := readAll(t, dir, gone, limits)
			for _, e := range entries {
				if comparePaths(e.Path, gone) <= 0 {
					t.Errorf("behind %q: got %q", gone, e.Path)
				}
			}
		}
	}
}

func TestAHugeDirectoryIsReadInParts(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for i := range 2000 {
		name := fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))[:16]
		do(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
		want = append(want, name)
	}
	slices.Sort(want)
	entries, _ := readAll(t, dir, "", limits{names: 700, held: 1000, open: 2, workers: 2, queue: 64})
	if got := paths(entries)[1:]; !slices.Equal(got, want) {
		t.Errorf("%d of %d names, or another order", len(got), len(want))
	}
}

// deep makes a chain of directories, deeper than a path can say.
func deep(t testing.TB, in string, levels int, name string) {
	t.Helper()
	fd, err := unix.Open(in, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	do(t, err)
	for range levels {
		do(t, unix.Mkdirat(fd, name, 0o755))
		next, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		do(t, err, unix.Close(fd))
		fd = next
	}
	file, err := unix.Openat(fd, "bottom", unix.O_CREAT|unix.O_WRONLY, 0o644)
	do(t, err, unix.Close(file), unix.Close(fd))
}

func TestATreeMayBeDeeperThanAPath(t *testing.T) {
	dir := t.TempDir()
	deep(t, dir, 1000, "deep") // 5,000 bytes of path
	for name, limits := range map[string]limits{"usual": usualForTests(), "tight": tight()} {
		entries, again := readAll(t, dir, "", limits)
		if len(entries) != 1002 || len(again) != 0 || !strings.HasSuffix(entries[1001].Path, "/deep/bottom") || entries[1001].SHA256 == "" {
			t.Errorf("%s limits: %d entries, told again %d", name, len(entries), len(again))
		}
	}
	entries, _ := readAll(t, dir, strings.TrimSuffix(strings.Repeat("deep/", 600), "/"), tight())
	if len(entries) != 401 {
		t.Errorf("half way: %d entries", len(entries))
	}
}

func TestWhatIsTooDeepIsTold(t *testing.T) {
	dir := t.TempDir()
	deep(t, dir, 300, strings.Repeat("n", 250)) // 75,000 bytes
	entries, again := readAll(t, dir, "", usualForTests())
	if len(entries) < 200 || len(again) != 1 || !strings.Contains(again[0].Error, "longer than") || again[0].Path != entries[len(entries)-1].Path {
		t.Errorf("%d entries, told again %d", len(entries), len(again))
	}
}

func TestSymbolicLinksAreNotFollowed(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	write(t, filepath.Join(outside, "secret"), "x")
	do(t, os.Symlink(".", filepath.Join(dir, "loop")), os.Symlink("b", filepath.Join(dir, "a")), os.Symlink("a", filepath.Join(dir, "b")),
		os.Symlink(outside, filepath.Join(dir, "out")), os.Symlink("/dev/zero", filepath.Join(dir, "zero")), os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	entries, _ := readAll(t, dir, "", usualForTests())
	if len(entries) != 7 {
		t.Fatalf("got %q", paths(entries))
	}
	for _, e := range entries[1:] {
		if e.Type != Symlink || e.Target == "" || e.SHA256 != "" || e.Error != "" {
			t.Errorf("got %+v", e)
		}
	}
}

func TestWhatIsToldOfAFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	content := bytes.Repeat([]byte("gameday"), 1<<20) // more than one buffer
	do(t, os.WriteFile(path, content, 0o644), unix.Chmod(path, 0o2751), os.Link(path, filepath.Join(dir, "g")),
		os.Chtimes(path, time.Unix(5, 6), time.Unix(7, 8)))
	var stat unix.Stat_t
	do(t, unix.Stat(path, &stat))
	entries, _ := readAll(t, dir, "", usualForTests())
	sum := sha256.Sum256(content)
	want := attributes{
		Type: File, Size: 7 << 20, SHA256: hex.EncodeToString(sum[:]), Mode: 0o2751, UID: stat.Uid, GID: stat.Gid,
		ModTime: 7e9 + 8, ChangeTime: stat.Ctim.Nano(), Links: 2,
	}
	for _, e := range entries[1:] {
		want.BirthTime = e.BirthTime
		if e.attributes != want {
			t.Errorf("%s: got  %+v\nwant %+v", e.Path, e.attributes, want)
		}
	}
}

func TestASparseFile(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "sparse"))
	do(t, err, file.Truncate(64<<20))
	_, err = file.WriteAt([]byte("end"), 64<<20-3)
	do(t, err, file.Close())
	entries, _ := readAll(t, dir, "", usualForTests())
	hash := sha256.New()
	hash.Write(make([]byte, 64<<20-3))
	hash.Write([]byte("end"))
	if e := entries[1]; !e.Sparse || e.Size != 64<<20 || e.SHA256 != hex.EncodeToString(hash.Sum(nil)) || e.Changed {
		t.Errorf("got %+v", e)
	}
}

func TestAFileThatGrowsWhileItIsRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	do(t, os.WriteFile(path, make([]byte, 64<<20), 0o644))
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	do(t, err)
	defer file.Close()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = file.WriteString("more\n")
			}
		}
	}()
	// On a busy machine nothing may be written in the time that one reading takes.
	for changed, deadline := false, time.Now().Add(time.Minute); !changed; {
		entries, _ := readAll(t, dir, "", usualForTests())
		e := entries[1]
		if changed = e.Changed; e.SHA256 == "" || e.Error != "" || !changed && time.Now().After(deadline) {
			t.Errorf("got %+v", e)
			break
		}
	}
	close(stop)
	<-stopped
}

func TestFilesThatComeAndGoWhileTheyAreRead(t *testing.T) {
	dir := t.TempDir()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				path := filepath.Join(dir, fmt.Sprint(i%50))
				switch i % 4 {
				case 0:
					_ = os.WriteFile(path, []byte("x"), 0o600)
				case 1:
					_ = os.Mkdir(path, 0o700)
				case 2:
					_ = unix.Mkfifo(path, 0o600)
				default:
					_ = os.RemoveAll(filepath.Join(dir, fmt.Sprint((i+25)%50)))
				}
			}
		}
	}()
	for range 300 {
		last := ""
		entries, _ := readAll(t, dir, "", tight())
		for _, e := range entries {
			if last != "" && comparePaths(last, e.Path) >= 0 {
				t.Fatalf("%s after %s", e.Path, last)
			}
			last = e.Path
		}
	}
	close(stop)
	<-stopped
}

// asNobody makes the test binary a reader without rights.
const asNobody = "GAMEDAY_TEST_READ"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asNobody); dir != "" {
		// The helper as it runs in a reader, confined.
		os.Exit(Main([]string{modeRead, "--" + flagVolumes, dir, "--" + flagName, "data"}, os.Stdout, os.Stderr))
	}
	if dir := os.Getenv(asConfined); dir != "" {
		os.Exit(tryToWrite(dir))
	}
	os.Exit(m.Run())
}

func TestWhatCannotBeReadIsTold(t *testing.T) {
	volumes, err := os.MkdirTemp("", "gameday-files-")
	do(t, err)
	t.Cleanup(func() { os.RemoveAll(volumes) })
	source := filepath.Join(volumes, pluginEmptyDir, "data")
	write(t, filepath.Join(source, "closed", "f"), "x")
	write(t, filepath.Join(source, "open"), "x")
	write(t, filepath.Join(source, "secret"), "x")
	do(t, os.Chmod(volumes, 0o755), os.Chmod(filepath.Join(source, "closed"), 0), os.Chmod(filepath.Join(source, "secret"), 0))

	command := exec.Command("/proc/self/exe")
	if os.Geteuid() == 0 {
		program := filepath.Join(volumes, "program") // in a place where nobody may look
		binary, err := os.ReadFile("/proc/self/exe")
		do(t, err, os.WriteFile(program, binary, 0o755)) //nolint:gosec // it is run
		command = exec.Command(program)
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	var out, complaint bytes.Buffer
	command.Env, command.Stdout, command.Stderr = append(os.Environ(), asNobody+"="+volumes), &out, &complaint
	if err := command.Run(); err != nil {
		t.Fatalf("%v: %s", err, &complaint)
	}
	errors := map[string]string{}
	var end *Counts
	for data := range bytes.Lines(out.Bytes()) {
		l, err := decode(bytes.TrimSpace(data))
		do(t, err)
		if l.Entry != nil {
			errors[l.Entry.Path] = l.Entry.Error
		}
		end = l.End
	}
	want := map[string]string{".": "", "closed": "permission denied", "open": "", "secret": "permission denied"}
	if !maps.Equal(errors, want) || end == nil || end.Errors != 2 || end.Entries != 4 {
		t.Errorf("got %v, %+v", errors, end)
	}
}
