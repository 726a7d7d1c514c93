package objects

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// settle decides about an object that is missing or extra when all objects are
// known.
type settle func(s *settling, p *pending) bool

// pending is an object that waits for the end of the reading.
type pending struct {
	rule       *Rule
	difference Difference
	uid        string // of the object, when it was found
	owner      string // the uid of its controller, when it was found
	claim      place  // what a volume belongs to
	ownerPlace ownerPlace
	done       bool
}

// ownerPlace is a controller as a wanted object names it: its uid is another
// on the restored side.
type ownerPlace struct {
	kind string
	place
}

// settling knows what was found so far.
type settling struct {
	uids    map[string]bool // of objects that were found and wanted, or are expected
	places  map[ownerPlace]bool
	pending []*pending
}

func newSettling() settling {
	return settling{uids: map[string]bool{}, places: map[ownerPlace]bool{}}
}

func (s *settling) saw(Resource, place, *unstructured.Unstructured) {}

func (s *settling) add(*Rule, Case, Difference) {}

func (r *run) settle() {}
