package contents

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gameday.dev/gameday/verify/objects"
)

// file is one file of a tarball.
type file struct{ name, text string }

func object(apiVersion, kind, namespace, name, more string) string {
	return fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"namespace":%q,"name":%q}%s}`, apiVersion, kind, namespace, name, more)
}

func tarball(t testing.TB, files ...file) []byte {
	t.Helper()
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o755, Size: int64(len(f.text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// source is a transfer that breaks with err, if it does.
type source struct {
	io.Reader
	err error
}

func (s source) Err() error { return s.err }

func read(t testing.TB, data []byte) (*Contents, error) {
	t.Helper()
	return Read(t.Context(), source{Reader: bytes.NewReader(data)}, t.TempDir(), "shop", func(int64) {})
}

func shop(name, text string) file {
	return file{"resources/configmaps/namespaces/shop/" + name + ".json", text}
}

func TestReadKeepsTheNamespaceInOrder(t *testing.T) {
	long := strings.Repeat("x", 70_000) // more than a buffer of the file
	c, err := read(t, tarball(t,
		file{"metadata/version", "1.1.0"},
		shop("b", object("v1", "ConfigMap", "shop", "b", `,"data":{"k":"`+long+`"}`)),
		shop("a", object("v1", "ConfigMap", "shop", "a", `,"data":{"n":"1"}`)),
		file{"resources/configmaps/v1-preferredversion/namespaces/shop/a.json", "not read"},
		file{"resources/deployments.apps/namespaces/shop/web.json", object("apps/v1", "Deployment", "shop", "web", `,"spec":{"replicas":3}`)},
		file{"resources/configmaps/namespaces/other/a.json", object("v1", "ConfigMap", "other", "a", "")},
		file{"resources/namespaces/cluster/shop.json", object("v1", "Namespace", "", "shop", "")},
	))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	resources, err := c.Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, resource := range resources {
		for o, err := range c.Objects(t.Context(), resource) {
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, fmt.Sprintf("%s %s/%s", resource, o.GetNamespace(), o.GetName()))
		}
	}
	if got, want := strings.Join(told, ", "), "configmaps shop/a, configmaps shop/b, deployments.apps shop/web, namespaces /shop"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if c.Count() != 4 {
		t.Errorf("counted %d", c.Count())
	}
	if resources[1] != (objects.Resource{Group: "apps", Version: "v1", Name: "deployments", Kind: "Deployment", Namespaced: true}) || resources[2].Namespaced {
		t.Errorf("resources are %+v", resources)
	}
	web, err := c.Get("deployments.apps", "shop", "web")
	if err != nil || web == nil || web.Object["spec"].(map[string]any)["replicas"] != int64(3) {
		t.Errorf("web is %v, %v: a whole number must stay one", web, err)
	}
	if b, err := c.Get("configmaps", "shop", "b"); err != nil || b.Object["data"].(map[string]any)["k"] != long {
		t.Errorf("b did not survive: %v", err)
	}
	if none, err := c.Get("configmaps", "shop", "none"); none != nil || err != nil {
		t.Errorf("got %v, %v for an object that is not there", none, err)
	}
}

// A backup of all namespaces holds each of them as an object of the cluster.
func TestReadKeepsOneNamespaceOfMany(t *testing.T) {
	namespace := func(name string) file {
		return file{"resources/namespaces/cluster/" + name + ".json", object("v1", "Namespace", "", name, "")}
	}
	others := []file{
		namespace("other"), namespace("shop-drill"),
		{"resources/configmaps/namespaces/other/a.json", object("v1", "ConfigMap", "other", "a", "")},
		{"resources/persistentvolumes/cluster/pv.json", object("v1", "PersistentVolume", "", "pv", "")},
		{"resources/namespaces.example.com/cluster/n.json", object("example.com/v1", "Namespace", "", "n", "")}, // somebody's own resource
	}
	c, err := read(t, tarball(t, append(others, namespace("shop"), shop("a", object("v1", "ConfigMap", "shop", "a", "")))...))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var told []string
	for o, err := range c.Objects(t.Context(), objects.Resource{Version: "v1", Name: "namespaces", Kind: "Namespace"}) {
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, o.GetName())
	}
	if fmt.Sprint(told) != "[shop]" || c.Count() != 2 {
		t.Errorf("it holds namespaces %v, and %d objects of shop", told, c.Count())
	}
	if volume, err := c.Get("persistentvolumes", "", "pv"); volume == nil || err != nil {
		t.Errorf("what is the cluster's is lost: %v", err)
	}
	none, err := read(t, tarball(t, others...))
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	if none.Count() != 0 {
		t.Errorf("%d objects of a namespace that is not in the backup", none.Count())
	}
}

func TestReadFindsDamage(t *testing.T) {
	good := shop("a", object("v1", "ConfigMap", "shop", "a", ""))
	whole := tarball(t, good, shop("b", object("v1", "ConfigMap", "shop", "b", "")))
	torn := bytes.Clone(whole)
	torn[0] ^= 0xff
	for name, data := range map[string][]byte{
		"flipped byte in a header": torn,
		"cut off":                  whole[:700],
		"no JSON":                  tarball(t, good, shop("b", "{")),
		"JSON of something else":   tarball(t, good, shop("b", `{"a":1}`)),
		"a list":                   tarball(t, good, shop("b", `[]`)),
		"another name":             tarball(t, good, shop("b", object("v1", "ConfigMap", "shop", "c", ""))),
		"another namespace":        tarball(t, good, shop("b", object("v1", "ConfigMap", "other", "b", ""))),
		"another group":            tarball(t, good, shop("b", object("apps/v1", "ConfigMap", "shop", "b", ""))),
		"another kind":             tarball(t, good, shop("b", object("v1", "configMap", "shop", "b", ""))),
		"twice":                    tarball(t, good, good),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, data)
			var damage *Damage
			if !errors.As(err, &damage) {
				t.Errorf("got %v, want damage", err)
			}
		})
	}
}

// What uses up a machine is not read, which says nothing of the backup.
func TestReadIsBounded(t *testing.T) {
	large := object("v1", "ConfigMap", "shop", "a", `,"data":{"k":"`+strings.Repeat("x", largestObject)+`"}`)
	_, err := read(t, tarball(t, shop("a", large)))
	var damage *Damage
	if err == nil || errors.As(err, &damage) || !strings.Contains(err.Error(), "objects of more than 8 MiB are not compared") {
		t.Errorf("a large object: %v", err)
	}
	c, err := read(t, tarball(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	add := func() error {
		return c.add(location{resource: "configmaps", namespace: "shop", name: "a"}, "a.json", []byte(object("v1", "ConfigMap", "shop", "a", "")))
	}
	c.spool.looked, c.spool.free = -spaceEvery, func(*os.File) (int64, error) { return spareSpace - 1, nil }
	if err := add(); err == nil || errors.As(err, &damage) || !strings.Contains(err.Error(), "leave 255 MiB free in "+filepath.Dir(c.spool.file.Name())) {
		t.Errorf("a full disk: %v", err)
	}
	c.spool.free = freeSpace
	c.total = mostObjects
	if err := add(); err == nil || errors.As(err, &damage) {
		t.Errorf("many objects: %v", err)
	}
	c.total, c.spool.looked = 0, -spaceEvery
	if err := add(); err != nil {
		t.Errorf("with room: %v", err)
	}
}

// A connection that breaks says nothing of the backup.
func TestBrokenTransferIsNoDamage(t *testing.T) {
	whole := tarball(t, shop("a", object("v1", "ConfigMap", "shop", "a", "")))
	broke := errors.New("connection reset")
	_, err := Read(t.Context(), source{Reader: bytes.NewReader(whole[:600]), err: broke}, t.TempDir(), "shop", func(int64) {})
	var damage *Damage
	if errors.As(err, &damage) || !errors.Is(err, broke) {
		t.Errorf("got %v", err)
	}
}

// Neither the file nor anything readable of it is left on disk, while it is in use.
func TestNothingReadableOnDisk(t *testing.T) {
	dir := t.TempDir()
	secret := "c2VjcmV0LXRoYXQtbm9ib2R5LXNlZXM="
	data := tarball(t, file{"resources/secrets/namespaces/shop/s.json", object("v1", "Secret", "shop", "s", `,"data":{"k":"`+secret+`"}`)})
	c, err := Read(t.Context(), source{Reader: bytes.NewReader(data)}, dir, "shop", func(int64) {})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if s, err := c.Get("secrets", "shop", "s"); err != nil || s.Object["data"].(map[string]any)["k"] != secret {
		t.Errorf("the secret did not survive: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("there is a file: %v %v", left, err)
	}
	raw := make([]byte, c.spool.size)
	if _, err := c.spool.file.ReadAt(raw, 0); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(secret)) || bytes.Contains(raw, []byte("metadata")) {
		t.Error("the file is readable")
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	_, err := Read(ctx, source{Reader: bytes.NewReader(tarball(t))}, t.TempDir(), "shop", func(int64) {})
	if !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}

func TestLocate(t *testing.T) {
	for name, want := range map[string]location{
		"resources/pods/namespaces/shop/web.json":                     {"pods", "", "shop", "web"},
		"./resources/deployments.apps/namespaces/shop/web.json":       {"deployments", "apps", "shop", "web"},
		"resources/widgets.example.com/cluster/w.json":                {"widgets", "example.com", "", "w"},
		"resources/pods/v1-preferredversion/namespaces/shop/web.json": {},
		"resources/pods/namespaces/shop/web.yaml":                     {},
		"resources/pods/namespaces/shop/.json":                        {},
		"resources/pods/namespaces/web.json":                          {},
		"metadata/version":                                            {},
		"../resources/pods/cluster/web.json":                          {},
	} {
		if got, ok := locate(name); ok != (want != location{}) || ok && got != want {
			t.Errorf("%s: got %+v, %v", name, got, ok)
		}
	}
}

func FuzzRead(f *testing.F) {
	whole := tarball(f, shop("a", object("v1", "ConfigMap", "shop", "a", `,"data":{"n":"1"}`)), file{"metadata/version", "1"})
	f.Add(whole)
	f.Add(whole[:512])
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := read(t, data)
		if err != nil {
			return
		}
		defer c.Close()
		resources, err := c.Resources(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen := int64(0)
		for _, resource := range resources {
			last := place{}
			for o, err := range c.Objects(t.Context(), resource) {
				if err != nil {
					t.Fatal(err)
				}
				here := place{namespace: o.GetNamespace(), name: o.GetName()}
				if here.compare(last) <= 0 {
					t.Errorf("%v after %v", here, last)
				}
				last = here
				seen++
			}
		}
		if seen < c.Count() {
			t.Errorf("%d objects, %d counted", seen, c.Count())
		}
	})
}
