package objects

import (
	"crypto/aes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apiserver/pkg/storage/value"
	aestransformer "k8s.io/apiserver/pkg/storage/value/encrypt/aes"
	secretboxtransformer "k8s.io/apiserver/pkg/storage/value/encrypt/secretbox"
)

// maxConfigSize is far above any EncryptionConfiguration.
const maxConfigSize = 1 << 20

// config reads an EncryptionConfiguration of apiserver.config.k8s.io/v1. It
// works on the tree of nodes and not on Kubernetes' type, so that no error
// comes from a parser that may quote what it could not read: a key.
type config struct {
	file string
	err  error // the first one
}

// readConfig gives the keys of the file.
func readConfig(path string) ([]secret, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxConfigSize {
		return nil, fmt.Errorf("%s: the file is larger than %d bytes", path, maxConfigSize)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, errors.New(path + lineOf(err) + ": not YAML")
	}
	c := &config{file: path}
	secrets := c.document(&document)
	if c.err != nil {
		return nil, c.err
	}
	return secrets, nil
}

// lineOf takes the line out of an error of the YAML parser, and nothing else.
func lineOf(err error) string {
	if match := regexp.MustCompile(`^yaml: line (\d+):`).FindStringSubmatch(err.Error()); match != nil {
		return ":" + match[1]
	}
	return ""
}

// fail keeps the first problem. The message must not hold text of the file.
func (c *config) fail(at *yaml.Node, path, message string) {
	if c.err == nil {
		c.err = fmt.Errorf("%s:%d:%d: %s: %s", c.file, at.Line, at.Column, path, message)
	}
}

func (c *config) document(document *yaml.Node) []secret {
	if len(document.Content) == 0 {
		c.err = fmt.Errorf("%s: the file is empty", c.file)
		return nil
	}
	root := document.Content[0]
	top := c.mapping(root, "the file", "apiVersion", "kind", "resources")
	if c.err != nil {
		return nil
	}
	for field, want := range map[string]string{"apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration"} {
		if node := top[field]; node == nil || node.Value != want {
			c.fail(root, field, "must be "+want)
		}
	}
	var secrets []secret
	for i, entry := range c.list(root, top["resources"], "resources") {
		secrets = append(secrets, c.entry(entry, fmt.Sprintf("resources[%d]", i))...)
	}
	return secrets
}

func (c *config) entry(node *yaml.Node, path string) []secret {
	fields := c.mapping(node, path, "resources", "providers")
	var covers []string
	for i, name := range c.list(node, fields["resources"], path+".resources") {
		covers = append(covers, c.text(name, fmt.Sprintf("%s.resources[%d]", path, i)))
	}
	var secrets []secret
	for i, provider := range c.list(node, fields["providers"], path+".providers") {
		secrets = append(secrets, c.provider(provider, fmt.Sprintf("%s.providers[%d]", path, i), covers)...)
	}
	return secrets
}

func (c *config) provider(node *yaml.Node, path string, covers []string) []secret {
	fields := c.mapping(node, path, aesCBC, aesGCM, secretBox, kms, "identity")
	if c.err == nil && len(fields) != 1 {
		c.fail(node, path, "must name exactly one provider")
	}
	var secrets []secret
	for provider, settings := range fields {
		path := path + "." + provider
		switch provider {
		case "identity":
			c.mapping(settings, path)
			continue
		case kms: // its values are not decoded, so nothing here is needed
			c.mapping(settings, path, "apiVersion", "name", "cachesize", "endpoint", "timeout")
			continue
		}
		keys := c.mapping(settings, path, "keys")["keys"]
		for i, key := range c.list(settings, keys, path+".keys") {
			s := c.key(key, fmt.Sprintf("%s.keys[%d]", path, i), provider)
			s.provider, s.covers = provider, covers
			secrets = append(secrets, s)
		}
	}
	return secrets
}

func (c *config) key(node *yaml.Node, path, provider string) secret {
	fields := c.mapping(node, path, "name", "secret")
	for _, field := range []string{"name", "secret"} {
		if c.err == nil && fields[field] == nil {
			c.fail(node, path+"."+field, "is missing")
		}
	}
	if c.err != nil {
		return secret{}
	}
	s := secret{name: c.text(fields["name"], path+".name")}
	raw, err := base64.StdEncoding.DecodeString(c.text(fields["secret"], path+".secret"))
	if err != nil {
		c.fail(fields["secret"], path+".secret", "is not base64")
		return secret{}
	}
	s.transformer, err = transformer(provider, raw)
	if err != nil {
		c.fail(fields["secret"], path+".secret", err.Error())
	}
	return s
}

// transformer makes the one that the API server would use.
func transformer(provider string, key []byte) (value.Transformer, error) {
	if provider == secretBox {
		if len(key) != 32 {
			return nil, fmt.Errorf("is a key of %d bytes, must be 32", len(key))
		}
		return secretboxtransformer.NewSecretboxTransformer([32]byte(key)), nil
	}
	block, err := aes.NewCipher(key)
	switch {
	case err != nil:
		return nil, fmt.Errorf("is a key of %d bytes, must be 16, 24 or 32", len(key))
	case provider == aesCBC:
		return aestransformer.NewCBCTransformer(block), nil
	}
	return aestransformer.NewGCMTransformer(block)
}

// mapping gives the fields of a mapping, none but the known. What an unknown
// field is called is not repeated: it may be a key that slipped.
func (c *config) mapping(node *yaml.Node, path string, known ...string) map[string]*yaml.Node {
	node = resolve(node)
	if c.err != nil || node == nil {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		c.fail(node, path, "must be a mapping")
		return nil
	}
	fields := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i]
		switch {
		case !slices.Contains(known, name.Value):
			c.fail(name, path, "unknown field; known here: "+strings.Join(known, ", "))
		case fields[name.Value] != nil:
			c.fail(name, path, name.Value+" is there twice")
		}
		fields[name.Value] = resolve(node.Content[i+1])
	}
	return fields
}

// list gives the items of a list, which must have some.
func (c *config) list(parent, node *yaml.Node, path string) []*yaml.Node {
	if c.err != nil {
		return nil
	}
	if node == nil || node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
		c.fail(parent, path, "must be a list with at least one item")
		return nil
	}
	return node.Content
}

// text gives a scalar that is a string and not empty.
func (c *config) text(node *yaml.Node, path string) string {
	node = resolve(node)
	if c.err != nil {
		return ""
	}
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!str" || node.Value == "" {
		c.fail(node, path, "must be a text that is not empty")
		return ""
	}
	return node.Value
}

// resolve follows an alias. Aliases of aliases do not exist in YAML.
func resolve(node *yaml.Node) *yaml.Node {
	if node != nil && node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}
