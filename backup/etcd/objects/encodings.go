package objects

import (
	"errors"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/client-go/kubernetes/scheme"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

const (
	// protobufPrefix is that of k8s.io/apimachinery/pkg/runtime/serializer/protobuf.
	protobufPrefix = "k8s\x00"
	// cborPrefix is the tag of self-described CBOR (RFC 8949, 3.4.6), as
	// k8s.io/apimachinery/pkg/runtime/serializer/cbor writes it.
	cborPrefix = "\xd9\xd9\xf7"
)

// protobuf decodes the envelope and then the message in it, whole.
func (d *Decoder) protobuf(at place, value []byte) (Object, *Undecodable) {
	envelope := d.envelopes.Get().(*runtime.Unknown)
	defer d.envelopes.Put(envelope)
	*envelope = runtime.Unknown{Raw: envelope.Raw[:0]} // the typed object copies what it takes
	if err := envelope.Unmarshal(value); err != nil {
		return at.object(), broken("the envelope of the protobuf message is damaged: %s", protobufError(err))
	}
	known, failed := d.lookup(at, typeName{envelope.APIVersion, envelope.Kind})
	switch {
	case failed != nil:
		return at.object(), failed
	case known == nil:
		return at.object(), unknown("kind %s of group %s is protobuf whose fields are not known to this gameday", envelope.Kind, at.group())
	}
	object := known.fresh()
	defer known.done(object)
	if err := object.Unmarshal(envelope.Raw); err != nil {
		return at.object(), broken("the protobuf message is damaged: %s", protobufError(err))
	}
	return d.finishTyped(at, known, object)
}

// protobufError passes on what speaks of the encoding alone; other errors may
// quote the value.
func protobufError(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends too early"
	}
	if text := err.Error(); strings.HasPrefix(text, "proto: ") {
		return strings.TrimPrefix(text, "proto: ")
	}
	return "a field cannot be read"
}

func (d *Decoder) finishTyped(at place, known *knownType, object typed) (Object, *Undecodable) {
	o, failed := d.finish(at, claim{
		typeName: known.typeName, namespace: object.GetNamespace(), name: object.GetName(), uid: string(object.GetUID())})
	if failed == nil {
		o.At = moment(object)
	}
	return o, failed
}

// head is what JSON of any kind begins with. Other metadata of an extension's
// object is not held to a shape: the API server drops what is malformed.
type head struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
		UID       string `json:"uid"`
	} `json:"metadata"`
}

// json decodes JSON: the whole text must be valid, and fit the type if this
// build knows it.
func (d *Decoder) json(at place, value []byte) (Object, *Undecodable) {
	var h head
	if err := kjson.UnmarshalCaseSensitivePreserveInts(value, &h); err != nil {
		if syntax, offset := kjson.SyntaxErrorOffset(err); syntax {
			return at.object(), broken("the value is not JSON: it breaks at byte %d of %d", offset, len(value))
		}
		return at.object(), broken("kind, apiVersion, namespace, name or uid is not a text")
	}
	known, failed := d.lookup(at, typeName{h.APIVersion, h.Kind})
	if failed != nil {
		return at.object(), failed
	}
	if known != nil {
		object := known.fresh()
		defer known.done(object)
		if err := kjson.UnmarshalCaseSensitivePreserveInts(value, object); err != nil {
			return at.object(), broken("a field of the JSON value does not fit %s of %s", known.kind, known.apiVersion)
		}
		return d.finishTyped(at, known, object)
	}
	return d.finish(at, claim{
		typeName: typeName{h.APIVersion, h.Kind}, namespace: h.Metadata.Namespace, name: h.Metadata.Name, uid: h.Metadata.UID})
}

// yaml is what --storage-media-type=application/yaml leaves.
func (d *Decoder) yaml(at place, value []byte) (Object, *Undecodable) {
	converted, err := yaml.YAMLToJSON(value)
	if err != nil {
		return at.object(), broken("the value begins like YAML but is not")
	}
	return d.json(at, converted)
}

// cbor is what the API server stores of extensions' objects when its feature
// CBORServingAndStorage is on.
func (d *Decoder) cbor(at place, value []byte) (Object, *Undecodable) {
	object := &unstructured.Unstructured{}
	if _, _, err := cbor.NewSerializer(scheme.Scheme, scheme.Scheme).Decode(value, nil, object); err != nil {
		return at.object(), broken("the value begins like CBOR but is not an object in it")
	}
	claimed := typeName{object.GetAPIVersion(), object.GetKind()}
	known, failed := d.lookup(at, claimed)
	if failed != nil {
		return at.object(), failed
	}
	if known != nil {
		into := known.fresh()
		defer known.done(into)
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, into); err != nil {
			return at.object(), broken("a field of the CBOR value does not fit %s of %s", known.kind, known.apiVersion)
		}
		return d.finishTyped(at, known, into)
	}
	return d.finish(at, claim{
		typeName: claimed, namespace: object.GetNamespace(), name: object.GetName(), uid: string(object.GetUID())})
}
