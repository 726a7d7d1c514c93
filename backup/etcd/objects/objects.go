// Package objects reads Kubernetes objects as the API server stores them in
// etcd: protobuf, JSON, CBOR, encrypted at rest.
package objects

import "time"

// Object is what a key holds, without its content: that stays where it is.
type Object struct {
	// Resource with its group, as kubectl has it: pods, deployments.apps.
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

// String names it as people do: "Secret shop/db".
func (o Object) String() string { panic("to be written") }

// Decoder decodes values. It is safe for concurrent use.
type Decoder struct{}

// NewDecoder reads the EncryptionConfiguration, if any. Its errors never hold
// a key.
func NewDecoder(prefix, encryptionConfig string) (*Decoder, error) { panic("to be written") }

// Undecodable is why a value could not be decoded.
type Undecodable struct {
	// Unknown says that nothing is wrong with the value as far as can be told:
	// it needs a key, or a KMS, that is not here.
	Unknown bool
	Reason  string
}

func (u *Undecodable) Error() string { return u.Reason }

// Decode decodes the value of a key as the object it claims to be, and holds
// its namespace and name against the key. An error is an *Undecodable and never
// holds a byte of the value; the Object names the key as well as can be.
func (d *Decoder) Decode(key, value []byte) (Object, error) { panic("to be written") }

// Name names the object of a key without its value.
func (d *Decoder) Name(key []byte) Object { panic("to be written") }

// Ephemeral says that what the key holds comes and goes by itself and is left
// out of comparisons across time, with the rule that says so: events, leases,
// the addresses of API servers.
func (d *Decoder) Ephemeral(key []byte) (rule string, ephemeral bool) { panic("to be written") }
