package snapshots

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestName(t *testing.T) {
	taken := time.Date(2026, 11, 23, 2, 30, 0, 5, time.FixedZone("", 3600))
	tests := map[string]string{
		"prod-eu":   "etcd-prod-eu-20261123T013000Z.db",
		"admin@a/b": "etcd-admin-a-b-20261123T013000Z.db",
		"":          "etcd-cluster-20261123T013000Z.db",
		"../..":     "etcd-cluster-20261123T013000Z.db",
		"ünï\n":     "etcd--n---20261123T013000Z.db",
		"日本":        "etcd-cluster-20261123T013000Z.db",
	}
	for cluster, want := range tests {
		got := Name(cluster, taken)
		if got != want {
			t.Errorf("%q: %s, want %s", cluster, got, want)
		}
		if !takenFrom("/somewhere/" + got).Equal(taken.Truncate(time.Second)) {
			t.Errorf("%s is read as of %s", got, takenFrom(got))
		}
	}
	if long := Name(strings.Repeat("x", 1000), taken); len(SidecarOf(long)+".part") > 255 {
		t.Errorf("%d characters are too long for a file name", len(long))
	}
	for _, other := range []string{"snapshot.db", "etcd-20261123T013000Z.db", "etcd-a-20261123.db", "etcd-a-20261123T013000Z.snap", "etcd-.db", ".db"} {
		if taken := takenFrom(other); !taken.IsZero() {
			t.Errorf("%s is read as of %s", other, taken)
		}
	}
}

func TestList(t *testing.T) {
	directory := t.TempDir()
	now := time.Now().UTC().Truncate(time.Second)
	write := func(name string, age time.Duration) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		return name
	}
	want := []string{
		write("copied-just-now.snap", time.Minute),
		write(Name("a", now.Add(-time.Hour)), 0),
		write("by-another-tool.snapshot", 2*time.Hour),
		write(Name("a", now.Add(-3*time.Hour)), 0),
		write("nightly.db", 4*time.Hour),
	}
	for _, other := range []string{"new.db.part", "nightly.db.sha256", "notes.txt", "db", "a.db~", "x.db.sha256.part"} {
		write(other, 0)
	}
	if err := os.Mkdir(filepath.Join(directory, "member.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nightly.db", filepath.Join(directory, "latest.db")); err != nil {
		t.Fatal(err)
	}
	files, err := List(directory)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range files {
		got = append(got, filepath.Base(file.Path))
		if file.Size != 1 || file.Modified.IsZero() {
			t.Errorf("%+v", file)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for path, say := range map[string]string{
		filepath.Join(directory, "gone"):       "mount it here",
		"":                                     "name the directory",
		filepath.Join(directory, "nightly.db"): "must be a directory",
	} {
		if _, err := List(path); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: %v, want %q", path, err, say)
		}
	}
}

// What is written is what sha256sum checks, whatever the file is called.
func TestSidecar(t *testing.T) {
	directory := t.TempDir()
	for _, name := range []string{"etcd-a-20261123T013000Z.db", "with space.db", "back\\slash\nand line.db"} {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		if sum, err := ReadSidecar(path); sum != "" || err != nil {
			t.Errorf("%q: %q, %v without a sidecar", name, sum, err)
		}
		raw := sha256.Sum256([]byte(name))
		want := hex.EncodeToString(raw[:])
		for range 2 { // and again over what is there
			if err := os.WriteFile(SidecarOf(path)+".part", []byte("left by a killed run"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := WriteSidecar(path, want); err != nil {
				t.Fatal(err)
			}
		}
		if sum, err := ReadSidecar(path); sum != want || err != nil {
			t.Errorf("%q: %q, %v", name, sum, err)
		}
		if info, err := os.Stat(SidecarOf(path)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%q: %v, %v", name, info, err)
		}
		if _, err := os.Stat(SidecarOf(path) + ".part"); !os.IsNotExist(err) {
			t.Errorf("%q: what was being written is left: %v", name, err)
		}
		check := exec.CommandContext(t.Context(), "sha256sum", "-c", filepath.Base(SidecarOf(path)))
		check.Dir = directory
		if output, err := check.CombinedOutput(); err != nil {
			t.Errorf("%q: %v: %s", name, err, output)
		}
	}
	if err := WriteSidecar(filepath.Join(directory, "gone", "x.db"), strings.Repeat("0", 64)); err == nil {
		t.Error("writing into no directory succeeds")
	}
}

func TestParseSidecar(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	tests := map[string]struct{ text, want string }{
		"binary":           {sum + " *a.db\n", sum},
		"alone":            {sum, sum},
		"upper case, CRLF": {strings.ToUpper(sum) + "  a.db\r\n", sum},
		"renamed":          {sum + "  b.db\n", sum},
		"of several":       {strings.Repeat("00", 32) + "  b.db\n" + sum + "  a.db\n", sum},
		"of several, none": {sum + "  b.db\n" + sum + "  c.db\n", ""},
		"empty":            {"", ""},
		"short":            {sum[:62] + "  a.db\n", ""},
		"no hex":           {strings.Repeat("xy", 32) + "  a.db\n", ""},
	}
	for name, test := range tests {
		got, err := parseSidecar([]byte(test.text), "a.db")
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func FuzzParseSidecar(f *testing.F) {
	f.Add([]byte(strings.Repeat("ab", 32)+"  a.db\n"), "a.db")
	f.Add([]byte(`\`+strings.Repeat("ab", 32)+"  a\\nb.db\n"), "a\nb.db")
	f.Fuzz(func(t *testing.T, text []byte, name string) {
		if sum, err := parseSidecar(text, name); err == nil && len(sum) != 64 {
			t.Errorf("%q", sum)
		}
		sum := strings.Repeat("0a", 32)
		if got, of, ok := parseSum(strings.TrimSuffix(sidecarLine(name, sum), "\n")); !ok || got != sum || of != name {
			t.Errorf("%q is read back as %q of %q", name, got, of)
		}
	})
}

func TestSum(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 512*1024/16)
	trailer := sha256.Sum256(body)
	path := filepath.Join(t.TempDir(), "a.db")
	tests := map[string]struct {
		data          []byte
		trailer, fits bool
	}{
		"whole":          {append(bytes.Clone(body), trailer[:]...), true, true},
		"flipped":        {append(append([]byte("x"), body[1:]...), trailer[:]...), true, false},
		"no trailer":     {body, false, false},
		"a page missing": {append(bytes.Clone(body[4096:]), trailer[:]...), true, false},
		"cut short":      {body[:1000], false, false},
		"tiny":           {[]byte("x"), false, false},
		"empty":          {nil, false, false},
	}
	for name, test := range tests {
		if err := os.WriteFile(path, test.data, 0o600); err != nil {
			t.Fatal(err)
		}
		raw := sha256.Sum256(test.data)
		sums, err := Sum(t.Context(), path)
		if want := (Sums{Whole: hex.EncodeToString(raw[:]), Trailer: test.trailer, Fits: test.fits}); err != nil || sums != want {
			t.Errorf("%s: %+v, %v, want %+v", name, sums, err, want)
		}
	}
}

// However the bytes arrive, they add up to the same.
func TestTrailerInPieces(t *testing.T) {
	body := bytes.Repeat([]byte("snapshot"), 4096/8)
	sum := sha256.Sum256(body)
	data := append(bytes.Clone(body), sum[:]...)
	raw := sha256.Sum256(data)
	for _, size := range []int{1, 7, 31, 32, 33, 1000, 4096, len(data)} {
		trailer := NewTrailer()
		for rest := data; len(rest) > 0; {
			n := min(size, len(rest))
			_, _ = trailer.Write(rest[:n])
			rest = rest[n:]
		}
		if whole, fits := trailer.Sum(); whole != hex.EncodeToString(raw[:]) || !fits || trailer.Size() != int64(len(data)) {
			t.Errorf("in pieces of %d: %s, fits %v", size, whole, fits)
		}
	}
}
