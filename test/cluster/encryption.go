package cluster

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
)

// atRest says what is encrypted in etcd, and how: one small resource for each
// provider that needs no KMS.
var atRest = []struct{ resource, provider string }{
	{"secrets", "aescbc"},
	{"configmaps", "secretbox"},
	{"serviceaccounts", "aesgcm"},
}

// EncryptionConfig is the EncryptionConfiguration of the API server, with the
// keys in it; empty when nothing is encrypted.
func (c *Cluster) EncryptionConfig() string {
	if !c.Encryption {
		return ""
	}
	return c.path("pki", "encryption.yaml")
}

// writeEncryptionConfig makes new keys. Without the file nothing that they
// encrypt can be read again.
func (c *Cluster) writeEncryptionConfig() error {
	if !c.Encryption {
		return nil
	}
	var text strings.Builder
	text.WriteString("apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n")
	for _, one := range atRest {
		key := make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			return fmt.Errorf("making an encryption key: %w", err)
		}
		fmt.Fprintf(&text, "  - resources: [%s]\n    providers:\n      - %s: {keys: [{name: %s-1, secret: %s}]}\n      - identity: {}\n",
			one.resource, one.provider, one.resource, base64.StdEncoding.EncodeToString(key))
	}
	return os.WriteFile(c.EncryptionConfig(), []byte(text.String()), 0o600)
}
