package objects

import (
	"bytes"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
)

// Every type that the API server may store, filled at random, decodes under its
// key as what it is.
func TestEveryTypeDecodes(t *testing.T) {
	d, err := NewDecoder("/registry", "")
	if err != nil {
		t.Fatal(err)
	}
	filler := fuzzer.FuzzerFor(metafuzzer.Funcs, rand.NewSource(7), scheme.Codecs)
	encoder := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	for path, row := range d.resources {
		seen := false
		for name, known := range d.types {
			group, _ := name.split()
			if name.kind != row.kind || group != row.group && group != row.also {
				continue
			}
			seen = true
			for range 20 {
				object := known.fresh()
				filler.Fill(object)
				namespace, key := "", "/registry/"+path+"/"
				if row.namespaced {
					namespace, key = "shop", key+"shop/"
				}
				object.SetNamespace(namespace)
				object.SetName("one")
				object.SetUID(types.UID("uid-of-" + name.kind))
				object.(runtime.Object).GetObjectKind().SetGroupVersionKind(schema.FromAPIVersionAndKind(name.apiVersion, name.kind))
				var value bytes.Buffer
				if err := encoder.Encode(object.(runtime.Object), &value); err != nil {
					t.Fatal(err)
				}
				o, err := d.Decode([]byte(key+"one"), value.Bytes())
				want := Object{Resource: row.name, APIVersion: name.apiVersion, Kind: name.kind, Namespace: namespace, Name: "one",
					UID: "uid-of-" + name.kind, At: moment(object)}
				if err != nil || o.At.UnixNano() != want.At.UnixNano() {
					t.Fatalf("%s: got %+v, %v; want %+v", path, o, err, want)
				}
				if o.At = want.At; o != want {
					t.Fatalf("%s: got %+v, want %+v", path, o, want)
				}
			}
		}
		if !seen {
			t.Errorf("no type of client-go is stored at %s", path)
		}
	}
}

// Whatever a configuration holds, reading it ends with keys or an error.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n" +
		"- resources: [secrets]\n  providers:\n  - aescbc: {keys: [{name: a, secret: MDEyMzQ1Njc4OWFiY2RlZg==}]}\n  - identity: {}\n"))
	f.Add([]byte("a: &a [*a]\n"))
	path := filepath.Join(f.TempDir(), "enc.yaml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		secrets, err := readConfig(path)
		if err == nil && slices.ContainsFunc(secrets, func(s secret) bool { return s.transformer == nil || s.name == "" }) {
			t.Errorf("a key without its name or transformer: %q", text)
		}
	})
}
