package files

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const anySum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

func encoded(t *testing.T, l line) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := encode(json.NewEncoder(&out), l); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(out.Bytes())
}

func TestAnEntrySurvivesItsLine(t *testing.T) {
	for _, e := range []entry{
		{Path: root, attributes: attributes{Type: Directory, Mode: 0o755, ModTime: 1, ChangeTime: 2, Cache: true}},
		{Path: "a/b", attributes: attributes{Type: File, Size: 3, SHA256: anySum, Mode: 0o4755, UID: 1, GID: 2, ModTime: -5, Links: 2, Attributes: 1, Sparse: true, Changed: true}},
		{Path: "a\xff/\n\"<&>\u2028é", Target: "\xfe", attributes: attributes{Type: Symlink}},
		{Path: "gone", attributes: attributes{Type: Unknown, Gone: true}},
		{Path: "closed", attributes: attributes{Type: File, Error: "permission denied"}},
	} {
		data := encoded(t, line{Entry: &e})
		l, err := decode(data)
		if err != nil || l.Entry == nil || !reflect.DeepEqual(*l.Entry, e) {
			t.Errorf("%s: got %+v, %v", data, l.Entry, err)
		}
	}
}

func TestLinesThatAreNotBelieved(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":      ``,
		"no object":    `7`,
		"empty":        `{}`,
		"two things":   `{"alive":{},"end":{}}`,
		"more behind":  `{"alive":{}} {}`,
		"absolute":     `{"entry":{"path":"/etc/passwd","type":"dir"}}`,
		"up":           `{"entry":{"path":"a/../../b","type":"dir"}}`,
		"no name":      `{"entry":{"path":"a//b","type":"dir"}}`,
		"no path":      `{"entry":{"type":"dir"}}`,
		"nul":          `{"entry":{"path":"a\u0000","type":"dir"}}`,
		"other type":   `{"entry":{"path":"a","type":"door"}}`,
		"no type":      `{"entry":{"path":"a"}}`,
		"no sum":       `{"entry":{"path":"a","type":"file"}}`,
		"upper sum":    `{"entry":{"path":"a","type":"file","sha256":"` + strings.ToUpper(anySum) + `"}}`,
		"short sum":    `{"entry":{"path":"a","type":"file","sha256":"ba78"}}`,
		"negative":     `{"entry":{"path":"a","type":"file","size":-1,"sha256":"` + anySum + `"}}`,
		"mode":         `{"entry":{"path":"a","type":"dir","mode":65535}}`,
		"unknown":      `{"entry":{"path":"a","type":"unknown"}}`,
		"too long":     `{"entry":{"path":"` + strings.Repeat("a", longestPath+1) + `","type":"dir"}}`,
		"again is too": `{"again":{"path":"..","type":"dir"}}`,
	} {
		if l, err := decode([]byte(text)); err == nil {
			t.Errorf("%s: believed %+v", name, l)
		}
	}
}

func TestPathsAreInTheOrderOfAWalk(t *testing.T) {
	want := []string{".", "A", "a", "a/A", "a/z", "a/z/z", "a\x01", "a ", "a-", "a.txt", "aa", "b", "\xc3\xa9", "\xff"}
	for i, a := range want {
		for j, b := range want {
			if got, want := comparePaths(a, b), btoi(i > j)-btoi(i < j); got != want {
				t.Errorf("%q and %q: %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestPathsAreSafeToRead(t *testing.T) {
	for path, want := range map[string]string{
		"a b/é.txt": "a b/é.txt",
		"a\nb":      `"a\nb"`,
		"\x1b[31m":  `"\x1b[31m"`,
		"\xff":      `"\xff"`,
		`"quoted"`:  `"\"quoted\""`,
		`back\n`:    `back\n`,
		"\u202etxt": `"\u202etxt"`,
	} {
		if got := show(path); got != want {
			t.Errorf("%q: got %s, want %s", path, got, want)
		}
	}
	if got := show(strings.Repeat("a", 10_000)); len(got) > longestShown+10 {
		t.Errorf("%d bytes", len(got))
	}
}

// What can be decoded is in order to be compared, and says the same when it is
// printed and decoded again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"begin":{"version":1,"directory":"kubernetes.io~csi/pvc-1/mount"}}`,
		`{"entry":{"path":"a/b","type":"file","size":3,"sha256":"` + anySum + `","mode":420,"uid":1,"gid":2,"mtime":1,"ctime":2}}`,
		`{"entry":{"path64":"/w==","target64":"/w==","type":"symlink"}}`,
		`{"again":{"path":".","type":"dir","error":"x"}}`,
		`{"alive":{"entries":1,"files":1,"bytes":1}}`,
		`{"end":{"entries":1}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := decode(data)
		if err != nil {
			return
		}
		for _, e := range []*entry{l.Entry, l.Again} {
			if e == nil {
				continue
			}
			if comparePaths(e.Path, e.Path) != 0 || e.Path != root && !within(e.Path, parent(e.Path)) || slices.Contains(strings.Split(e.Path, "/"), "..") {
				t.Errorf("path %q", e.Path)
			}
			if shown := show(e.Path); strings.ContainsAny(shown, "\n\x1b\x00") {
				t.Errorf("shown %q", shown)
			}
		}
		again := encoded(t, l)
		second, err := decode(again)
		if err != nil || !reflect.DeepEqual(l, second) {
			t.Errorf("%s became %s: %v", data, again, err)
		}
	})
}
