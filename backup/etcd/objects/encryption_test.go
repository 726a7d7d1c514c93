package objects_test

import (
	"context"
	"crypto/aes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/storage/value"
	aestransformer "k8s.io/apiserver/pkg/storage/value/encrypt/aes"
	"k8s.io/apiserver/pkg/storage/value/encrypt/secretbox"

	"gameday.dev/gameday/backup/etcd/objects"
)

const (
	rightKey = "0123456789abcdef0123456789abcdef"
	otherKey = "fedcba9876543210fedcba9876543210"
	keyOfDB  = "/registry/secrets/shop/db"
)

func b64(key string) string { return base64.StdEncoding.EncodeToString([]byte(key)) }

// encryptionConfig writes an EncryptionConfiguration and gives its path.
func encryptionConfig(t testing.TB, resources string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "enc.yaml")
	text := "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n" + resources
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func entry(resources, provider, name, key string) string {
	return fmt.Sprintf("- resources: [%s]\n  providers:\n  - %s: {keys: [{name: %q, secret: %s}]}\n  - identity: {}\n",
		resources, provider, name, b64(key))
}

// sealed encrypts a value as the API server does.
func sealed(t testing.TB, provider, name, key, etcdKey string, plain []byte) []byte {
	t.Helper()
	var transformer value.Transformer
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	switch provider {
	case "aescbc":
		transformer = aestransformer.NewCBCTransformer(block)
	case "aesgcm":
		transformer, err = aestransformer.NewGCMTransformer(block)
	case "secretbox":
		transformer = secretbox.NewSecretboxTransformer([32]byte([]byte(key)))
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := transformer.TransformToStorage(context.Background(), plain, value.DefaultContext(etcdKey))
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte("k8s:enc:"+provider+":v1:"+name+":"), out...)
}

func TestEncryptedValues(t *testing.T) {
	plain := stored(t, secretObject("shop", "db"))
	for _, provider := range []string{"aescbc", "aesgcm", "secretbox"} {
		t.Run(provider, func(t *testing.T) {
			sealedValue := sealed(t, provider, "key1", rightKey, keyOfDB, plain)

			right := decoder(t, encryptionConfig(t, entry("secrets", provider, "key1", rightKey)))
			o, err := right.Decode([]byte(keyOfDB), sealedValue)
			if err != nil || o.String() != "Secret shop/db" || o.Encrypted != provider+" key1" || o.UID != "uid-1" {
				t.Errorf("got %+v, %v", o, err)
			}
			if o, err := right.Decode([]byte(keyOfDB), plain); err != nil || o.Encrypted != "" {
				t.Errorf("a value that is not encrypted: got %+v, %v", o, err)
			}
			for i := range sealedValue {
				if _, err := right.Decode([]byte(keyOfDB), sealedValue[:i]); err == nil {
					t.Errorf("the first %d of %d bytes decode", i, len(sealedValue))
				}
			}
			if provider != "aescbc" { // which has no authentication
				damaged := append([]byte{}, sealedValue...)
				damaged[len(damaged)-3] ^= 1
				_, err = right.Decode([]byte(keyOfDB), damaged)
				undecodable(t, err, false, "the authentication fails")
			}

			wrong := decoder(t, encryptionConfig(t, entry("secrets", provider, "key1", otherKey)))
			o, err = wrong.Decode([]byte(keyOfDB), sealedValue)
			undecodable(t, err, false, `it does not decode with key "key1" of `+provider+" of the EncryptionConfiguration given")
			if o.Encrypted != provider+" key1" || o.String() != "Secret shop/db" {
				t.Errorf("the object of the failure: %+v", o)
			}

			another := decoder(t, encryptionConfig(t, entry("secrets", provider, "key2", rightKey)))
			_, err = another.Decode([]byte(keyOfDB), sealedValue)
			undecodable(t, err, true, `key "key1" of `+provider+", which the EncryptionConfiguration does not hold")

			_, err = decoder(t, "").Decode([]byte(keyOfDB), sealedValue)
			undecodable(t, err, true, "give encryptionConfig in the environment")
		})
	}
}

// aesgcm binds a value to its key: one that was copied is noticed.
func TestAValueBelongsToItsKey(t *testing.T) {
	d := decoder(t, encryptionConfig(t, entry("secrets", "aesgcm", "key1", rightKey)))
	copied := sealed(t, "aesgcm", "key1", rightKey, "/registry/secrets/bank/db", stored(t, secretObject("shop", "db")))
	_, err := d.Decode([]byte(keyOfDB), copied)
	undecodable(t, err, false, "belongs under another key")
}

// One name may stand for several keys: that of the resource's own entry is tried
// first, and the others after it.
func TestOneNameForSeveralKeys(t *testing.T) {
	plain := stored(t, secretObject("shop", "db"))
	for _, provider := range []string{"aescbc", "aesgcm", "secretbox"} {
		for _, resources := range []string{"secrets", "'*.'", "'*.*'", "deployments.apps"} {
			d := decoder(t, encryptionConfig(t,
				entry("configmaps", provider, "key1", otherKey)+entry(resources, provider, "key1", rightKey)))
			if _, err := d.Decode([]byte(keyOfDB), sealed(t, provider, "key1", rightKey, keyOfDB, plain)); err != nil {
				t.Errorf("%s for %s: %v", provider, resources, err)
			}
		}
	}
	// A key may have any name, colons included.
	d := decoder(t, encryptionConfig(t, entry("secrets", "aesgcm", "a:b", rightKey)))
	if o, err := d.Decode([]byte(keyOfDB), sealed(t, "aesgcm", "a:b", rightKey, keyOfDB, plain)); err != nil || o.Encrypted != "aesgcm a:b" {
		t.Errorf("got %+v, %v", o, err)
	}
}

// A wrong key of aescbc may give something that looks padded, one time in 256.
func TestAWrongKeyThatDecrypts(t *testing.T) {
	plain := stored(t, secretObject("shop", "db"))
	block, err := aes.NewCipher([]byte(otherKey))
	if err != nil {
		t.Fatal(err)
	}
	wrong := aestransformer.NewCBCTransformer(block)
	var value []byte
	for decrypts := false; !decrypts; {
		value = sealed(t, "aescbc", "key1", rightKey, keyOfDB, plain)
		_, _, err := wrong.TransformFromStorage(context.Background(), value[len("k8s:enc:aescbc:v1:key1:"):], nil)
		decrypts = err == nil
	}
	both := decoder(t, encryptionConfig(t, entry("secrets", "aescbc", "key1", otherKey)+entry("secrets", "aescbc", "key1", rightKey)))
	if o, err := both.Decode([]byte(keyOfDB), value); err != nil || o.UID != "uid-1" {
		t.Errorf("with the right key as the second: got %+v, %v", o, err)
	}
	alone := decoder(t, encryptionConfig(t, entry("secrets", "aescbc", "key1", otherKey)))
	_, err = alone.Decode([]byte(keyOfDB), value)
	undecodable(t, err, false, "no object comes out")
}

// The transformer of aescbc crashes on a value without a block.
func TestAnEncryptedValueWithoutContent(t *testing.T) {
	d := decoder(t, encryptionConfig(t, entry("secrets", "aescbc", "key1", rightKey)))
	for _, rest := range []string{"", "0123456789abcdef", "0123456789abcdef0123"} {
		_, err := d.Decode([]byte(keyOfDB), []byte("k8s:enc:aescbc:v1:key1:"+rest))
		undecodable(t, err, false, "no object comes out")
	}
}

func TestWhatNoKeyOpens(t *testing.T) {
	d := decoder(t, encryptionConfig(t, "- resources: [secrets]\n  providers:\n  - kms: {apiVersion: v2, name: vault, endpoint: unix:///x.sock}\n"))
	for text, want := range map[string]struct {
		unknown bool
		reason  string
	}{
		"k8s:enc:kms:v2:vault:xxxx":   {true, `the KMS plugin "vault" (v2)`},
		"k8s:enc:kms:v1:vault:xxxx":   {true, `the KMS plugin "vault" (v1)`},
		"k8s:enc:rot13:v1:key1:xxxx":  {true, `provider "rot13" (v1), which this gameday does not know`},
		"k8s:enc:aescbc:v2:key1:xxxx": {true, `provider "aescbc" (v2)`},
		"k8s:enc:aescbc":              {false, "names no provider and key"},
		"k8s:enc:\x00:v1:key1:xxxx":   {false, "names no provider and key"},
	} {
		_, err := d.Decode([]byte(keyOfDB), []byte(text))
		t.Run(text, func(t *testing.T) { undecodable(t, err, want.unknown, want.reason) })
	}
}

// An error about the configuration says where, and never holds a key.
func TestBadConfigurations(t *testing.T) {
	secret := b64(rightKey)
	for name, c := range map[string]struct{ resources, want string }{
		"not base64":        {"- resources: [secrets]\n  providers:\n  - aescbc: {keys: [{name: a, secret: '*" + secret + "'}]}\n", "enc.yaml:6:39: resources[0].providers[0].aescbc.keys[0].secret: is not base64"},
		"too short":         {"- resources: [secrets]\n  providers:\n  - secretbox: {keys: [{name: a, secret: " + b64(rightKey[:16]) + "}]}\n", "is a key of 16 bytes, must be 32"},
		"odd length":        {"- resources: [secrets]\n  providers:\n  - aesgcm: {keys: [{name: a, secret: " + b64(rightKey[:17]) + "}]}\n", "must be 16, 24 or 32"},
		"key as field":      {"- resources: [secrets]\n  providers:\n  - aescbc: {keys: [{name: a, " + secret + ": b}]}\n", "unknown field; known here: name, secret"},
		"key as provider":   {"- resources: [secrets]\n  providers:\n  - " + secret + ": {}\n", "unknown field; known here: aescbc"},
		"key as text":       {"- resources: [secrets]\n  providers:\n  - " + secret + "\n", "must be a mapping"},
		"key as keys":       {"- resources: [secrets]\n  providers:\n  - aescbc: {keys: " + secret + "}\n", "must be a list"},
		"key as anchor":     {"- resources: [secrets]\n  providers:\n  - aescbc: *x" + strings.TrimRight(secret, "=") + "\n", "not YAML"},
		"no YAML":           {"- resources: [secrets]\n  providers:\n  - aescbc: {keys: [{name: a, secret: \"" + secret + "}]}\n", "not YAML"},
		"twice":             {"- resources: [secrets]\n  providers:\n  - aescbc: {keys: [{name: a, secret: " + secret + ", secret: " + secret + "}]}\n", "secret is there twice"},
		"two providers":     {"- resources: [secrets]\n  providers:\n  - aescbc: {keys: [{name: a, secret: " + secret + "}]}\n    identity: {}\n", "exactly one provider"},
		"no name":           {"- resources: [secrets]\n  providers:\n  - aescbc: {keys: [{secret: " + secret + "}]}\n", "name: is missing"},
		"binary":            {"- resources: [secrets]\n  providers:\n  - aescbc: {keys: [{name: a, secret: !!binary " + secret + "}]}\n", "must be a text"},
		"no providers":      {"- resources: [secrets]\n", "resources[0].providers: must be a list"},
		"no resources":      {"- providers: [{identity: {}}]\n", "resources[0].resources: must be a list"},
		"identity of text":  {"- resources: [secrets]\n  providers: [identity: " + secret + "]\n", "must be a mapping"},
		"nothing":           {"", "resources: must be a list"},
		"a list as a field": {"- resources: [secrets]\n  providers:\n  - aescbc: {keys: [[" + secret + "]]}\n", "must be a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := objects.NewDecoder("/registry", encryptionConfig(t, c.resources))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), secret[:12]) || strings.Contains(err.Error(), rightKey[:8]) {
				t.Fatalf("the error holds the key: %v", err)
			}
		})
	}
	for text, want := range map[string]string{
		"": "empty",
		"apiVersion: v1\nkind: EncryptionConfig\nresources: []\n": "must be ",
	} {
		path := filepath.Join(t.TempDir(), "enc.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := objects.NewDecoder("/registry", path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	if _, err := objects.NewDecoder("/registry", filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there is read")
	}
}

func TestDifference(t *testing.T) {
	d := decoder(t, encryptionConfig(t, entry("secrets, configmaps", "aesgcm", "key1", rightKey)))
	config := func(color string, labels map[string]string) []byte {
		return stored(t, &corev1.ConfigMap{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", Labels: labels},
			Data:       map[string]string{"color": color, "size": "3"},
		})
	}
	const keyOfWeb = "/registry/configmaps/shop/web"
	seal := func(key string, plain []byte) []byte { return sealed(t, "aesgcm", "key1", rightKey, key, plain) }
	widget := func(size int) []byte {
		return fmt.Appendf(nil, `{"apiVersion":"lab.io/v1","kind":"Widget","metadata":{"name":"one"},"spec":{"size":%d}}`, size)
	}
	other := secretObject("shop", "db")
	other.Data["password"] = []byte("another")
	for name, c := range map[string]struct {
		key        string
		one, other []byte
		want       string
		same       bool
	}{
		"one field":      {keyOfWeb, config("blue", nil), config("red", nil), "data.color", false},
		"several fields": {keyOfWeb, config("blue", map[string]string{"a": "b"}), config("red", map[string]string{"a": "c"}), "data.color metadata.labels.a", false},
		"a field gone":   {keyOfWeb, config("blue", map[string]string{"a": "b"}), config("blue", nil), "metadata.labels", false},
		"sealed anew":    {keyOfWeb, seal(keyOfWeb, config("blue", nil)), seal(keyOfWeb, config("blue", nil)), "", true},
		"sealed fields":  {keyOfWeb, seal(keyOfWeb, config("blue", nil)), config("red", nil), "data.color", false},
		"a Secret":       {keyOfDB, stored(t, secretObject("shop", "db")), stored(t, other), "", false},
		"an extension's": {"/registry/lab.io/widgets/one", widget(3), widget(4), "spec.size", false},
		"damaged":        {keyOfWeb, config("blue", nil), config("red", nil)[:50], "", false},
		"not its key's":  {keyOfWeb, config("blue", nil), stored(t, other), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			paths, same := d.Difference([]byte(c.key), c.one, c.other)
			if strings.Join(paths, " ") != c.want || same != c.same {
				t.Errorf("got %v, %v; want %v, %v", paths, same, c.want, c.same)
			}
		})
	}
}

func FuzzDecodeEncrypted(f *testing.F) {
	plain := stored(f, secretObject("shop", "db"))
	var entries string
	for _, provider := range []string{"aescbc", "aesgcm", "secretbox"} {
		entries += entry("secrets", provider, "key1", rightKey)
		f.Add(sealed(f, provider, "key1", rightKey, keyOfDB, plain))
		f.Add([]byte("k8s:enc:" + provider + ":v1:key1:0123456789abcdef"))
	}
	d := decoder(f, encryptionConfig(f, entries))
	f.Fuzz(func(_ *testing.T, value []byte) {
		_, _ = d.Decode([]byte(keyOfDB), value)
		_, _ = d.Difference([]byte(keyOfDB), value, plain)
	})
}
