package files

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
)

func unconfined() error { return nil }

func TestLocate(t *testing.T) {
	volumes := t.TempDir()
	for _, path := range []string{
		"kubernetes.io~csi/pvc-1/mount", "kubernetes.io~csi/pvc-2", "kubernetes.io~empty-dir/cache", "kubernetes.io~local-volume/local 1",
		"kubernetes.io~nfs/nfs-1", "example.com~flex/twice", "kubernetes.io~nfs/twice",
	} {
		if err := os.MkdirAll(filepath.Join(volumes, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(volumes, "kubernetes.io~nfs", "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	table := filepath.Join(t.TempDir(), "mountinfo")
	at := strings.ReplaceAll(volumes, " ", `\040`)
	text := "36 35 98:0 / " + at + "/kubernetes.io~csi/pvc-1/mount rw,noatime master:1 - ext4 /dev/sdb rw\n" +
		"37 35 98:0 / " + at + `/kubernetes.io~local-volume/local\0401 rw - ext4 /dev/sdc rw` + "\n"
	if err := os.WriteFile(table, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"pvc-1":   "kubernetes.io~csi/pvc-1/mount",
		"cache":   "kubernetes.io~empty-dir/cache",
		"local 1": "kubernetes.io~local-volume/local 1",
		"pvc-2":   "it has no kubernetes.io~csi/pvc-2/mount yet",
		"nfs-1":   "with nothing mounted on it",
		"file":    "is no directory",
		"twice":   "more than once: example.com~flex/twice, kubernetes.io~nfs/twice",
		"pvc-9":   "volume pvc-9 is not mounted on the node: its pod has example.com~flex/twice, kubernetes.io~csi/pvc-1,",
	} {
		directory, err := locate(volumes, name, table)
		if directory != want && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %s, %v", name, directory, err)
		}
	}
}

func TestTheHelpersArguments(t *testing.T) {
	for _, args := range [][]string{
		nil, {"dance"}, {"wait"}, {"wait", "long"}, {"wait", "-1s"}, {"read"}, {"read", "--volumes", "/v"},
		{"read", "--volumes", "/v", "--name", "../etc"}, {"read", "--volumes", "/v", "--name", "a", "--after", "?"},
	} {
		var complaint bytes.Buffer
		if code := help(args, io.Discard, &complaint, unconfined); code != exitUsage || complaint.Len() == 0 {
			t.Errorf("%q: code %d, %s", args, code, &complaint)
		}
	}
	var complaint bytes.Buffer
	if code := help([]string{"read", "--volumes", t.TempDir(), "--name", "data"}, io.Discard, &complaint, unconfined); code != exitNoVolume {
		t.Errorf("code %d, %s", code, &complaint)
	}
}

func TestTheHelperEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if code := Main([]string{"wait", "6h"}, io.Discard, io.Discard); code != 0 {
			t.Errorf("code %d", code)
		}
	})
}

func TestAReaderThatNobodyListensToEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nobody, stdout := io.Pipe()
		code := guard(stdout, io.Discard, func(out io.Writer) error {
			_, err := out.Write([]byte("hello"))
			return err
		})
		if code != exitNobody {
			t.Errorf("code %d", code)
		}
		nobody.Close() // so that the writer ends, too
		synctest.Wait()
	})
}
