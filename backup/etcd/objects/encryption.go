package objects

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"k8s.io/apiserver/pkg/storage/value"
)

// encryptedPrefix is what every encrypted value begins with
// (k8s.io/apiserver/pkg/storage/value/encrypt/identity); provider, version and
// key name follow, each with a colon
// (k8s.io/apiserver/pkg/server/options/encryptionconfig/config.go).
const encryptedPrefix = "k8s:enc:"

const (
	aesCBC    = "aescbc"
	aesGCM    = "aesgcm"
	secretBox = "secretbox"
	kms       = "kms"
)

// secret is one key of the EncryptionConfiguration. It has no String: nothing
// of it may be printed but the name.
type secret struct {
	provider    string
	name        string
	transformer value.Transformer
	// covers are the resources of its entry.
	covers []string
}

// coversResource says whether the entry is for the resource: "secrets",
// "deployments.apps", or by the wildcards "*.", "*.apps" and "*.*".
func (s secret) coversResource(resource string) bool {
	_, group, _ := strings.Cut(resource, ".")
	for _, pattern := range s.covers {
		if pattern == resource || pattern == "*.*" || pattern == "*."+group {
			return true
		}
	}
	return false
}

// encrypted decrypts a value and decodes what comes out.
func (d *Decoder) encrypted(at place, key, value []byte) (Object, *Undecodable) {
	o := at.object()
	rest := value[len(encryptedPrefix):]
	parts := bytes.SplitN(rest, []byte(":"), 4)
	if len(parts) < 4 || !printable(parts[0]) || !printable(parts[1]) || !printable(parts[2]) {
		return o, broken("the value begins like an encrypted one but names no provider and key")
	}
	provider, version, name := string(parts[0]), string(parts[1]), string(parts[2])
	switch {
	case provider == kms:
		o.Encrypted = provider + " " + version + " " + name
		return o, unknown("it is encrypted by the KMS plugin %q (%s), and what a KMS has encrypted cannot be decoded offline: only the API server of the level apiServer can", name, version)
	case provider != aesCBC && provider != aesGCM && provider != secretBox || version != "v1":
		o.Encrypted = provider + " " + name
		return o, unknown("it is encrypted by provider %q (%s), which this gameday does not know", provider, version)
	}
	candidates := d.candidates(at, provider, rest[len(provider)+len(":v1:"):])
	if len(candidates) > 0 {
		name = candidates[0].name // which may hold colons of its own
	}
	o.Encrypted = provider + " " + name
	switch {
	case !d.configured:
		return o, unknown("it is encrypted with key %q of %s: give encryptionConfig in the environment, the API server's EncryptionConfiguration", name, provider)
	case len(candidates) == 0:
		return o, unknown("it is encrypted with key %q of %s, which the EncryptionConfiguration does not hold: add the key it had when this was written", name, provider)
	}
	decoded, failed := d.decrypt(at, candidates, key, rest)
	decoded.Encrypted = o.Encrypted
	return decoded, failed
}

// candidates are the keys of the provider that have the name the value asks
// for: first those meant for its resource, in the order of the file. One name
// may stand for several keys.
func (d *Decoder) candidates(at place, provider string, rest []byte) []secret {
	var meant, others []secret
	resource := at.resource("")
	for _, s := range d.secrets {
		switch {
		case s.provider != provider || !bytes.HasPrefix(rest, []byte(s.name+":")):
		case s.coversResource(resource):
			meant = append(meant, s)
		default:
			others = append(others, s)
		}
	}
	return append(meant, others...)
}

// cbcLeast is an initialization vector and one block. The transformer for
// aescbc takes less for granted and crashes.
const cbcLeast = 32

// decrypt tries the candidates. rest begins with the provider.
func (d *Decoder) decrypt(at place, candidates []secret, key, rest []byte) (Object, *Undecodable) {
	provider := candidates[0].provider
	for _, candidate := range candidates {
		plain, ok := candidate.open(key, rest)
		if !ok {
			continue
		}
		o, failed := d.plain(at, plain)
		// What aescbc gives needs not be what was put in: another key of the
		// same name may still be the right one. Garbage names no type, though.
		if failed == nil || failed.Unknown || provider != aesCBC {
			return o, failed
		}
	}
	which := fmt.Sprintf("key %q of %s", candidates[0].name, provider)
	if len(candidates) > 1 {
		which = fmt.Sprintf("any of the %d keys %q of %s", len(candidates), candidates[0].name, provider)
	}
	if provider == aesCBC {
		return at.object(), broken("it does not decode with %s of the EncryptionConfiguration given: no object comes out. "+
			"The key is another, or the value is damaged; aescbc has no authentication that tells which", which)
	}
	return at.object(), broken("it does not decode with %s of the EncryptionConfiguration given: the authentication fails. "+
		"The key is another, or the value is damaged or belongs under another key of etcd", which)
}

// open decrypts what follows the prefix of all encrypted values.
func (s secret) open(key, rest []byte) (plain []byte, ok bool) {
	sealed := rest[len(s.provider)+len(":v1:")+len(s.name)+1:]
	if s.provider == aesCBC && len(sealed) < cbcLeast {
		return nil, false
	}
	// The API server authenticates with the whole key of etcd.
	// Decryption waits for nothing; a KMS, which would, is not asked.
	plain, _, err := s.transformer.TransformFromStorage(context.Background(), sealed, value.DefaultContext(key))
	return plain, err == nil
}

// opened decrypts a value for which Decode has found no fault; nil when none of
// its keys does.
func (d *Decoder) opened(at place, key, value []byte) []byte {
	rest := value[len(encryptedPrefix):]
	provider, _, _ := bytes.Cut(rest, []byte(":"))
	start := len(provider) + len(":v1:")
	if len(rest) < start {
		return nil
	}
	for _, candidate := range d.candidates(at, string(provider), rest[start:]) {
		if plain, ok := candidate.open(key, rest); ok {
			if _, failed := d.plain(at, plain); failed == nil {
				return plain
			}
		}
	}
	return nil
}

// printable says whether a part of the prefix is fit for a message.
func printable(part []byte) bool {
	for _, b := range part {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return len(part) > 0 && len(part) <= 253
}
