package apiserver

import (
	"context"
	"os"
	"path/filepath"
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

const kmsConfig = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - kms: {apiVersion: v2, name: vault, endpoint: unix:///nowhere/kms.sock, timeout: 1s}
  - identity: {}
`

func TestEncryptedExperiment(t *testing.T) {
	binary := realBinary(t)
	etcd := startEtcd(t, t.TempDir())
	config := etcd.config(t, binary)
	config.At.EncryptionConfig = encryptionConfig(t, encrypted)
	living := startServer(t, config)
	populate(t, living.Client)
	for _, kms := range []string{"", kmsConfig} {
		restored := restoreEtcd(t, etcd)
		revision := restored.revision(t)
		c := restored.config(t, binary)
		if kms != "" {
			c.At.EncryptionConfig = encryptionConfig(t, kms)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		server, err := Start(ctx, c)
		if err != nil {
			t.Log(err, err.(*Failure).Machine)
			continue
		}
		compared, err := Compare(t.Context(), Options{Live: living.Client, Restored: server.Client, Revision: revision, Stored: restored.stored(t, revision)})
		compared.Counts = nil
		t.Log(server.Keyless, server.BootTook)
		t.Logf("%v %+v", err, compared)
		server.Stop()
	}
}
