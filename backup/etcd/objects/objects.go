// Package objects reads Kubernetes objects as the API server stores them in
// etcd: protobuf, JSON, YAML or CBOR, encrypted at rest. It keeps nothing of
// what it reads but names: neither an object nor an error holds content.
package objects

import (
	"fmt"
	"path"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
)

// Object is what a key holds, without its content: that stays where it is.
type Object struct {
	// Resource with its group, as kubectl has it: pods, deployments.apps. What
	// the API server keeps for itself has the name of its place: masterleases,
	// ranges. Empty for a key of no known layout.
	Resource         string
	APIVersion, Kind string
	Namespace, Name  string
	UID              string
	// At is the newest moment the object speaks of that the control plane keeps
	// current, such as a Lease's renewTime; zero for most.
	At time.Time
	// Encrypted names the provider and key, "aescbc key1", empty when not encrypted.
	Encrypted string
}

// String names it as people do: "Secret shop/db", "Node n1". Where the kind is
// not known, the resource stands for it: "widgets.lab.io shop/one".
func (o Object) String() string {
	what := o.Kind
	if what == "" || isInternal(o.Resource) {
		what = o.Resource
	}
	if what == "" {
		what = "key"
	}
	switch {
	case o.Name == "":
		return what
	case o.Namespace == "":
		return what + " " + o.Name
	}
	return what + " " + o.Namespace + "/" + o.Name
}

// Decoder decodes values. It is safe for concurrent use.
type Decoder struct {
	prefix    string // with a slash at both ends
	resources map[string]resource
	types     map[typeName]*knownType
	secrets   []secret
	// configured says that there is an EncryptionConfiguration.
	configured bool
	envelopes  sync.Pool
}

// NewDecoder reads the EncryptionConfiguration, if any: an empty path is none.
// Its errors name file and place and never hold a key. The prefix is the API
// server's --etcd-prefix.
func NewDecoder(prefix, encryptionConfig string) (*Decoder, error) {
	d := &Decoder{
		prefix:    path.Join("/", prefix) + "/",
		resources: resources(),
		types:     knownTypes(),
		envelopes: sync.Pool{New: func() any { return new(runtime.Unknown) }},
	}
	if d.prefix == "//" {
		d.prefix = "/"
	}
	if encryptionConfig == "" {
		return d, nil
	}
	secrets, err := readConfig(encryptionConfig)
	if err != nil {
		return nil, fmt.Errorf("reading the EncryptionConfiguration: %w", err)
	}
	d.secrets, d.configured = secrets, true
	return d, nil
}

// Undecodable is why a value could not be decoded.
type Undecodable struct {
	// Unknown says that nothing is wrong with the value as far as can be told:
	// it needs a key, a KMS, or a newer build, that is not here.
	Unknown bool
	Reason  string
}

func (u *Undecodable) Error() string { return u.Reason }

// broken is what is wrong with a value.
func broken(format string, a ...any) *Undecodable {
	return &Undecodable{Reason: fmt.Sprintf(format, a...)}
}

// unknown is what keeps this build from telling.
func unknown(format string, a ...any) *Undecodable {
	return &Undecodable{Unknown: true, Reason: fmt.Sprintf(format, a...)}
}

// Decode decodes the value of a key as the object it claims to be, whole, and
// holds its kind, group, namespace and name against the key. An error is an
// *Undecodable and never holds a byte of the value beyond the names of its type
// and of the key it is encrypted with; the Object names the key as well as can be.
func (d *Decoder) Decode(key, value []byte) (o Object, err error) {
	at := d.place(string(key))
	// The decoders are meant for what an API server wrote. What a damaged disk
	// made of it must not end a run.
	defer func() {
		if recover() != nil {
			o, err = at.object(), broken("decoding it crashes, so it is damaged")
		}
	}()
	o, failed := d.decode(at, key, value)
	if failed != nil {
		return o, failed // not as a nil *Undecodable: that would be an error
	}
	return o, nil
}

// Name names the object of a key without its value.
func (d *Decoder) Name(key []byte) Object { return d.place(string(key)).object() }
