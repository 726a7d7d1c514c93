package apiserver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const encryptionKey = "c2l4dGVlbiBieXRlcyBsb25nIGtleSAzMiBieXRlcyE="

func encryptionConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "encryption.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const encrypted = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - aescbc: {keys: [{name: key1, secret: ` + encryptionKey + `}]}
  - identity: {}
`

// Without the key nothing is known of what is encrypted, and everything of the rest.
func TestWithoutTheKey(t *testing.T) {
	binary := realBinary(t)
	etcd := startEtcd(t, t.TempDir())
	config := etcd.config(t, binary)
	config.At.EncryptionConfig = encryptionConfig(t, encrypted)
	living := startServer(t, config)
	populate(t, living.Client)
	for name, scene := range map[string]struct{ encryption, why string }{
		"no configuration": {"", "the encryption configuration has no key for it"},
		"another key":      {strings.Replace(encrypted, encryptionKey, "YW5vdGhlciBrZXkgdGhhdCBpcyAzMiBieXRlcyBvay4=", 1), "do not open it"},
		"a KMS instead":    {strings.Replace(encrypted, "aescbc: {keys: [{name: key1, secret: "+encryptionKey+"}]}", "kms: {apiVersion: v2, name: vault, endpoint: unix:///nowhere/kms.sock, timeout: 1s}", 1), "has no key for it"},
		"the key":          {encrypted, ""},
	} {
		t.Run(name, func(t *testing.T) {
			restored := restoreEtcd(t, etcd)
			revision := restored.revision(t)
			config := restored.config(t, binary)
			if scene.encryption != "" {
				config.At.EncryptionConfig = encryptionConfig(t, scene.encryption)
			}
			server := startServer(t, config)
			compared, err := Compare(t.Context(), Options{Live: living.Client, Restored: server.Client, Revision: revision, Stored: restored.stored(t, revision)})
			if err != nil {
				t.Fatal(err)
			}
			compared.Counts = nil // long
			noLeak(t, compared)
			if !strings.Contains(compared.Untold["secrets"], scene.why) || (compared.Untold["secrets"] == "") != (scene.why == "") || (len(server.Keyless) > 0) != (scene.why != "") {
				t.Errorf("keyless %v, %+v", server.Keyless, compared)
			}
			if compared.DifferentCount+compared.MissingCount+compared.ExtraCount != 0 || compared.Equal < 100 {
				t.Errorf("%+v", compared)
			}
		})
	}
}

// A configuration that is broken is this side's fault, and its keys stay in it.
func TestBrokenEncryptionConfigurationIsNotQuoted(t *testing.T) {
	binary := realBinary(t)
	etcd := startEtcd(t, t.TempDir())
	for name, text := range map[string]string{
		"no base64":     strings.Replace(encrypted, encryptionKey, "hunter2-and-more!", 1),
		"wrong length":  strings.Replace(encrypted, encryptionKey, "aHVudGVyMi1hbmQtbW9yZXg=", 1),
		"wrong type":    strings.Replace(encrypted, "[{name: key1, secret: "+encryptionKey+"}]", "aHVudGVyMi1hbmQtbW9yZQ==", 1),
		"wrong field":   strings.Replace(encrypted, "secret: "+encryptionKey, "hunter2-and-more: x", 1),
		"no YAML":       "hunter2-and-more: [",
		"not a mapping": "hunter2-and-more",
	} {
		t.Run(name, func(t *testing.T) {
			config := etcd.config(t, binary)
			config.At.EncryptionConfig = encryptionConfig(t, text)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			server, err := Start(ctx, config)
			if err == nil {
				server.Stop()
				t.Fatal("booted")
			}
			noLeak(t, err)
			var failure *Failure
			if !errors.As(err, &failure) || !failure.Machine || !strings.Contains(err.Error(), config.At.EncryptionConfig) {
				t.Errorf("%#v: %v", failure, err)
			}
			if _, err := os.Stat(config.Dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the directory is still there: %v", err)
			}
		})
	}
}
