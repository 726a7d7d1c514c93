package objects

import (
	"bytes"
	"strings"
)

// decode decodes a value, encrypted or not.
func (d *Decoder) decode(at place, key, value []byte) (Object, *Undecodable) {
	if at.strange {
		return at.object(), broken("no object is stored under a key of this layout")
	}
	if bytes.HasPrefix(value, []byte(encryptedPrefix)) {
		return d.encrypted(at, key, value)
	}
	return d.plain(at, value)
}

// plain decodes a value that is not encrypted, by the encoding that it begins
// like: those of k8s.io/apimachinery/pkg/runtime/serializer.
func (d *Decoder) plain(at place, value []byte) (Object, *Undecodable) {
	switch {
	case len(value) == 0:
		return at.object(), broken("the value is empty")
	case bytes.HasPrefix(value, []byte(protobufPrefix)):
		return d.protobuf(at, value[len(protobufPrefix):])
	case bytes.HasPrefix(value, []byte(cborPrefix)):
		return d.cbor(at, value)
	case value[0] == '{':
		return d.json(at, value)
	case bytes.HasPrefix(value, []byte("apiVersion:")):
		return d.yaml(at, value)
	}
	return at.object(), broken("the value is neither protobuf nor JSON, YAML or CBOR, nor encrypted in a known way")
}

// claim is what a value says it is.
type claim struct {
	typeName
	namespace, name, uid string
}

// split parts the apiVersion into group and version.
func (n typeName) split() (group, version string) {
	if group, version, ok := strings.Cut(n.apiVersion, "/"); ok {
		return group, version
	}
	return "", n.apiVersion
}

// lookup finds the type that a value claims to have and holds it against the
// key. The type is nil when values of it cannot be unmarshalled whole and need
// not be: objects of API extensions.
func (d *Decoder) lookup(at place, claimed typeName) (*knownType, *Undecodable) {
	group, version := claimed.split()
	known, ok := d.types[claimed]
	plausible := ok || claimed.plausible()
	switch {
	case claimed.kind == "" || claimed.apiVersion == "":
		return nil, broken("the value does not say what it is: no kind or apiVersion")
	case !plausible:
		return nil, broken("the value's kind and apiVersion are no names of a type")
	case at.row.name != "" && (claimed.kind != at.row.kind || group != at.row.group && group != at.row.also):
		return nil, broken("the value is a %s of %s, the key is one of %s", claimed.kind, claimed.apiVersion, at.row.name)
	case at.custom && group != at.group():
		return nil, broken("the value is a %s of %s, the key belongs to the group %s", claimed.kind, claimed.apiVersion, at.group())
	case ok:
		return known, nil
	case at.custom:
		return nil, nil
	case at.row.name != "":
		return nil, unknown("version %s of %s is not known to this gameday: newer than it, or long removed", version, at.row.name)
	}
	return nil, unknown("kind %s of group %q is newer than this gameday, or long removed", claimed.kind, group)
}

// finish holds what a value says against its key and makes an Object of it. It
// does not repeat names that differ: in a damaged value they may be anything.
func (d *Decoder) finish(at place, c claim) (Object, *Undecodable) {
	group, _ := c.split()
	o := at.object()
	switch {
	case at.row.internal:
	case c.namespace != at.namespace:
		return o, broken("the namespace in its metadata is another than the one in the key")
	case c.name != at.name:
		return o, broken("the name in its metadata is another than the one in the key")
	}
	o.Resource, o.APIVersion, o.Kind, o.UID = at.resource(group), c.apiVersion, c.kind, c.uid
	return o, nil
}
